"""All families of objects that the modeller can make, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from frontdesk.worker.families_aircraft import AIRCRAFT
from frontdesk.worker.families_animals import ANIMALS
from frontdesk.worker.families_buildings import BUILDINGS
from frontdesk.worker.families_cars import CARS
from frontdesk.worker.families_carts import CARTS
from frontdesk.worker.families_clothes import CLOTHES
from frontdesk.worker.families_crawlers import CRAWLERS
from frontdesk.worker.families_dishes import DISHES
from frontdesk.worker.families_fruit import FRUIT
from frontdesk.worker.families_furniture import FURNITURE
from frontdesk.worker.families_games import GAMES
from frontdesk.worker.families_goods import GOODS
from frontdesk.worker.families_jewels import JEWELS
from frontdesk.worker.families_kitchen import KITCHEN
from frontdesk.worker.families_landmarks import LANDMARKS
from frontdesk.worker.families_lights import LIGHTS
from frontdesk.worker.families_mammals import MAMMALS
from frontdesk.worker.families_music import MUSIC
from frontdesk.worker.families_nature import NATURE
from frontdesk.worker.families_plants import PLANTS
from frontdesk.worker.families_rail import RAIL
from frontdesk.worker.families_seats import SEATS
from frontdesk.worker.families_ships import SHIPS
from frontdesk.worker.families_tableware import TABLEWARE
from frontdesk.worker.families_tools import TOOLS
from frontdesk.worker.families_toys import TOYS
from frontdesk.worker.solids import Family

_THEMES = (
    SEATS,
    FURNITURE,
    LIGHTS,
    TABLEWARE,
    KITCHEN,
    CARS,
    CARTS,
    RAIL,
    SHIPS,
    AIRCRAFT,
    BUILDINGS,
    LANDMARKS,
    PLANTS,
    NATURE,
    MAMMALS,
    ANIMALS,
    CRAWLERS,
    TOOLS,
    GOODS,
    GAMES,
    TOYS,
    MUSIC,
    FRUIT,
    DISHES,
    CLOTHES,
    JEWELS,
)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for theme in _THEMES for family in theme})
