"""All families of objects that the modeller can make, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from frontdesk.worker.families_animals import ANIMALS
from frontdesk.worker.families_buildings import BUILDINGS
from frontdesk.worker.families_craft import CRAFT
from frontdesk.worker.families_food import FOOD
from frontdesk.worker.families_furniture import FURNITURE
from frontdesk.worker.families_nature import NATURE
from frontdesk.worker.families_play import PLAY
from frontdesk.worker.families_tableware import TABLEWARE
from frontdesk.worker.families_things import THINGS
from frontdesk.worker.families_vehicles import VEHICLES
from frontdesk.worker.families_wear import WEAR
from frontdesk.worker.solids import Family

_ALL = (*FURNITURE, *TABLEWARE, *VEHICLES, *CRAFT, *BUILDINGS, *NATURE, *ANIMALS, *THINGS, *PLAY, *FOOD, *WEAR)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _ALL})
