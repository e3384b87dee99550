"""What prompts mean: things, how many, how they look, where they stand, and which words were not understood."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_families import FAMILIES

from frontdesk.worker.prompt_grammar import Grammar
from frontdesk.worker.scene import MAX_ITEMS, MAX_OBJECTS, Item, Relation, Understood

GRAMMAR = Grammar(FAMILIES)


def understood(prompt: str) -> Understood:
    return GRAMMAR.understand(prompt)


def hexed(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)


def told_item(item: Item) -> str:
    look = item.look
    words = [f"{item.count} {item.family}"]
    words += [f"x{item.scale:g}"] if item.scale != 1 else []
    words += [hexed(look.colour)] if look.colour else []
    words += [f"and {hexed(look.accent)}"] if look.accent else []
    words += [look.finish] if look.finish else []
    words += [f"{name} {by:g}" for name, by in look.proportions.items() if by != 1]
    words += [f"{item.relation.kind} {item.relation.other}"] if item.relation else []
    return " ".join(words)


def told(prompt: str) -> str:
    """The scene in one line; the words that were not understood stand behind a bar."""
    found = understood(prompt)
    text = "; ".join(map(told_item, found.scene.items))
    return f"{text} | {', '.join(found.scene.unknown)}" if found.scene.unknown else text


MEANINGS = [
    ("two small red chairs beside a round wooden table", "2 chair x0.7 #c9241f beside 1; 1 round table #8b5a2b matte"),
    ("chair", "1 chair"),
    ("a chair", "1 chair"),
    ("the chair", "1 chair"),
    ("chairs", "2 chair"),
    ("3 cats", "3 cat"),
    ("three cats", "3 cat"),
    ("3x cats", "3 cat"),
    ("a pair of lamps", "2 lamp"),
    ("several books", "3 book"),
    ("a dozen apples", "12 fruit"),
    ("half a dozen oranges", "6 fruit"),
    ("two dozen books", "24 book"),
    ("a row of five trees", "5 tree"),
    ("a bunch of apples", "3 fruit"),
    ("100 chairs", "24 chair"),
    ("1,000 stones", "24 stone"),
    ("two knives", "2 knife"),
    ("one wolf and two puppies", "2 dog | wolf"),
    ("sheep", "1 sheep"),
    ("two sheep", "2 sheep"),
    ("a tiny dog", "1 dog x0.4"),
    ("a small cat", "1 cat x0.7"),
    ("a large dog", "1 dog x1.4"),
    ("a huge tree", "1 tree x2"),
    ("a very large stone", "1 stone x1.6565"),
    ("a tall tree", "1 tree tall 1.4"),
    ("a low wide table", "1 table tall 0.7 wide 1.4"),
    ("a long table", "1 table wide 1.5"),
    ("a long thin knife", "1 knife wide 0.7 deep 1.05"),
    ("a flat stone", "1 stone tall 0.5"),
    ("a square table", "1 table wide 0.7559 deep 1.3229"),
    ("a round table", "1 round table"),
    ("a circular table", "1 round table"),
    ("a big round wooden dining table", "1 round table x1.4 #8b5a2b matte"),
    ("an orange on a table", "1 fruit on 1; 1 table"),
    ("an orange chair", "1 chair #ec7a1e"),
    ("a red chair", "1 chair #c9241f"),
    ("a light blue sofa", "1 sofa #add8e6"),
    ("a dark red sofa", "1 sofa #8b0000"),
    ("a pale green lamp", "1 lamp #98fb98"),
    ("a bright orange cat", "1 cat #f97d18"),
    ("a navy-blue sofa", "1 sofa #000080"),
    ("a sofa in navy blue", "1 sofa #000080"),
    ("a dark grey cat", "1 cat #4d4d4d"),
    ("a red and white chair", "1 chair #c9241f and #f5f4f0"),
    ("a red, white and blue chair", "1 chair #c9241f and #f5f4f0"),
    ("a red-and-white chair", "1 chair #c9241f and #f5f4f0"),
    ("a wooden chair", "1 chair #8b5a2b matte"),
    ("an oak table", "1 table #a9773f matte"),
    ("an oak", "1 tree"),
    ("a brass lamp", "1 lamp #b5a642 metal"),
    ("a gold star", "1 star #d4af37 metal"),
    ("a red metal chair", "1 chair #c9241f metal"),
    ("a chair made of oak", "1 chair #a9773f matte"),
    ("a table made of wood and steel", "1 table #8b5a2b and #a8adb2 matte"),
    ("a glass table", "1 table #cfe6ea glass"),
    ("a glass on a glass table", "1 wine glass on 1; 1 table #cfe6ea glass"),
    ("a stone house", "1 house #8d8a84 matte"),
    ("a marble bowl", "1 bowl #eceae6 matte"),
    ("a velvet sofa", "1 sofa #7b1e3b matte"),
    ("a glowing lamp", "1 lamp glow"),
    ("a transparent green bowl", "1 bowl #2f8a3c glass"),
    ("a table with red legs", "1 table and #c9241f"),
    ("a white table with wooden legs", "1 table #f5f4f0 and #8b5a2b"),
    ("a chair in red", "1 chair #c9241f"),
    ("a chair, red and blue", "1 chair #c9241f and #1f55b5"),
    ("a cat on a chair", "1 cat on 1; 1 chair"),
    ("a cat on top of a chair", "1 cat on 1; 1 chair"),
    ("a cat under a table", "1 cat under 1; 1 table"),
    ("a dog next to a sofa", "1 dog beside 1; 1 sofa"),
    ("a tree behind a house", "1 tree behind 1; 1 house"),
    ("a dog in front of a house", "1 dog in_front_of 1; 1 house"),
    ("a lamp to the left of a sofa", "1 lamp left_of 1; 1 sofa"),
    ("a lamp on the right of a sofa", "1 lamp right_of 1; 1 sofa"),
    ("four chairs around a table", "4 chair around 1; 1 table"),
    ("chairs round a table", "2 chair around 1; 1 table"),
    ("a table surrounded by six chairs", "1 table; 6 chair around 0"),
    ("a lamp between two chairs", "1 lamp between 1; 2 chair"),
    ("a dog between a tree and a house", "1 dog between 1; 1 tree; 1 house"),
    ("Between a tree and a house, a dog", "1 tree; 1 house; 1 dog between 0"),
    ("three apples in a bowl on a table", "3 fruit inside 1; 1 bowl on 2; 1 table"),
    ("a bowl of apples", "1 bowl; 5 fruit inside 0"),
    ("a bowl with two apples", "1 bowl; 2 fruit inside 0"),
    ("a bowl full of oranges", "1 bowl; 5 fruit inside 0"),
    ("a table with a bowl of apples on it", "1 table; 1 bowl on 0; 5 fruit inside 1"),
    (
        "a table with a bowl of apples on it and four chairs around it",
        "1 table; 1 bowl on 0; 5 fruit inside 1; 4 chair around 0",
    ),
    ("a bowl of apples and a lamp", "1 bowl; 5 fruit inside 0; 1 lamp"),
    ("a lamp leaning on a house", "1 lamp beside 1; 1 house"),
    ("a table with a lamp", "1 table; 1 lamp on 0"),
    ("a table with four chairs", "1 table; 4 chair around 0"),
    ("a table with a lamp and four chairs", "1 table; 1 lamp on 0; 4 chair around 0"),
    ("a house with a tree", "1 house; 1 tree beside 0"),
    ("a table with a lamp on top", "1 table; 1 lamp on 0"),
    ("a table with a cat under it", "1 table; 1 cat under 0"),
    ("a house with a tree on the left and a dog on the right", "1 house; 1 tree left_of 0; 1 dog right_of 0"),
    ("a cat and a dog on a sofa", "1 cat on 2; 1 dog on 2; 1 sofa"),
    ("a chair and a lamp on a table", "1 chair; 1 lamp on 2; 1 table"),
    ("On the table is a lamp", "1 table; 1 lamp on 0"),
    ("a table. A cat is under the table. On it, a lamp.", "1 table; 1 cat under 0; 1 lamp on 0"),
    (
        "the red chair is beside the blue chair. the cat is on the red chair",
        "1 chair #c9241f beside 1; 1 chair #1f55b5; 1 cat on 0",
    ),
    ("a red and a blue chair", "1 chair #c9241f; 1 chair #1f55b5"),
    ("one big and one small table", "1 table x1.4; 1 table x0.7"),
    ("a red chair and a blue one", "1 chair #c9241f; 1 chair #1f55b5"),
    ("two tables, each with a lamp", "2 table; 2 lamp on 0"),
    ("a table without chairs", "1 table"),
    ("no chairs, a table", "1 table"),
    ("a cat and a fluffy unicorn", "1 cat | fluffy, unicorn"),
    ("a chair made by hand", "1 chair | hand"),
    ("a fluffy cat sleeping on a sofa", "1 cat on 1; 1 sofa | fluffy, sleeping"),
    ("a three-legged chair", "1 chair | three-legged"),
    ("a 2 m tall tree", "1 tree tall 1.4 | 2 m"),
    ("small, fluffy, red chair", "1 chair x0.7 #c9241f | fluffy"),
    ("une chaise rouge", " | une, chaise, rouge"),
    ("ein roter Stuhl neben dem Tisch", " | ein, roter, Stuhl, neben, dem, Tisch"),
    ("赤い椅子", " | 赤い椅子"),
    ("a cat 🐈 on a sofa", "1 cat on 1; 1 sofa | 🐈"),
    ("sofa, lamp, chair", "1 sofa; 1 lamp; 1 chair"),
    ("an apple tree", "1 tree | apple"),
    ("a hot-air balloon over a house", "1 hot-air balloon on 1; 1 house"),
    ("I'd like a picture of 3 little kittens in front of my home, please!", "3 cat x0.7 in_front_of 1; 1 house"),
    (
        "a knife and two glasses next to a bowl on a round table",
        "1 knife beside 2; 2 wine glass beside 2; 1 bowl on 3; 1 round table",
    ),
    ("a chair in front of a table\nand a lamp behind the table", "1 chair in_front_of 1; 1 table; 1 lamp behind 1"),
    ("a xylograph of justice", " | xylograph, justice"),
]


@pytest.mark.parametrize(("prompt", "meaning"), MEANINGS, ids=[prompt for prompt, _ in MEANINGS])
def test_what_prompts_mean(prompt: str, meaning: str) -> None:
    """How many of what, how large, its colour and accent, its finish, its proportions, and where it stands."""
    assert told(prompt) == meaning


def test_the_issues_own_prompt() -> None:
    """In full: two small red chairs, both by the one round table, which is of wood."""
    found = understood("two small red chairs beside a round wooden table")
    chairs, table = found.scene.items
    assert (chairs.family, chairs.count, chairs.scale, chairs.look.colour) == (
        "chair",
        2,
        0.7,
        (0.7882, 0.1412, 0.1216),
    )
    assert chairs.relation == Relation("beside", 1)
    assert (table.family, table.count, table.look.finish, table.relation) == ("round table", 1, "matte", None)
    assert (found.scene.unknown, found.left_out, found.meanings) == ((), (), ())


def test_looks_carry_detail_and_seed() -> None:
    """The seed is the prompt's for the first item and differs between items; all proportions have a value."""
    found = GRAMMAR.understand("a tall cat and a dog", seed=7, detail="best")
    looks = [item.look for item in found.scene.items]
    assert [(look.seed, look.detail) for look in looks] == [(7, "best"), (8, "best")]
    assert looks[0].proportions == {"tall": 1.4, "wide": 1.0, "deep": 1.0}


def test_the_same_prompt_means_the_same() -> None:
    """Nothing is left over from the prompt before."""
    first = understood("a red cat on a table")
    understood("two dogs under")
    assert understood("a red cat on a table") == first


def test_unknown_words_are_reported_once_as_typed_in_order() -> None:
    """Each where it first stood, in the letters it was typed in; words that say nothing are not reported."""
    found = understood("Please make a Zorgly CHAIR with frobnicated legs, a zorgly lamp and the Wibble of it")
    assert found.scene.unknown == ("Zorgly", "frobnicated", "legs", "Wibble")


def test_more_than_a_scene_holds_is_left_out_and_said() -> None:
    """24 objects, 12 items; what is beyond them, and a third colour, is named."""
    found = understood("20 chairs and 10 lamps and a cat")
    assert [item.count for item in found.scene.items] == [20, 4]
    assert found.left_out == ("6 lamps", "cat")
    found = understood(", ".join(["a cat"] * 15))
    assert (len(found.scene.items), found.left_out) == (MAX_ITEMS, ("cat",) * 3)
    assert understood("a red, white and blue chair").left_out == ("blue",)


def check(found: Understood, prompt: str) -> None:
    """What holds for the scene of any text."""
    scene = found.scene
    assert len(scene.items) <= MAX_ITEMS
    assert sum(item.count for item in scene.items) <= MAX_OBJECTS
    for number, item in enumerate(scene.items):
        assert item.family in FAMILIES
        assert item.count >= 1
        assert 0.2 <= item.scale <= 4
        assert all(0.4 <= by <= 2.5 for by in item.look.proportions.values())
        for colour in (item.look.colour, item.look.accent):
            assert colour is None or all(0 <= channel <= 1 for channel in colour)
        assert item.relation is None or (0 <= item.relation.other < len(scene.items) and item.relation.other != number)
    assert len({word.casefold() for word in scene.unknown}) == len(scene.unknown)


@settings(max_examples=100, derandomize=True)
@given(st.text(max_size=2000))
def test_any_text_gives_a_scene(prompt: str) -> None:
    """Emoji, newlines, control characters, other scripts, halves of surrogate pairs."""
    check(understood(prompt), prompt)


WORDS = (  # noqa: SIM905 -- a list of fifty literals is no easier to read
    "a/the/two/3/dozen/0/chairs/table/round/cat/orange/glass/red/light/dark/white/wooden/steel/gold/tiny/huge/long/"
    "square/very/and/,/./on/under/with/without/of/in/between/around/each/it/one/left/to/the/behind/legs/seat/zorgly/"
    "no/pair/surrounded/by/them/full/next/red-and-white/🐈"
).split("/")


@settings(max_examples=300, derandomize=True)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_order_of_its_own_words_gives_a_scene(words: list[str]) -> None:
    """Nonsense of known words is where a grammar breaks, if it does."""
    check(understood(" ".join(words)), " ".join(words))


@pytest.mark.parametrize(
    "piece",
    [
        "a red cat on a table, ",
        "a ",
        "red and ",
        "and ",
        "-a",
        "(",
        "🐈",
        "x",
        "9",
        "under ",
        "a b c d e f ",
        "é",
        "'s ",
    ],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    """2,000 characters of anything take well under a tenth of a second, 10,000 well under a second."""
    for length, seconds in ((2_000, 0.5), (10_000, 2.5)):  # generous: a busy machine's cores are slower
        prompt = (piece * length)[:length]
        began = time.thread_time()  # without the time that others had the core
        check(understood(prompt), prompt)
        assert time.thread_time() - began < seconds
