"""The config explained by its schema: unions, mappings of structs, sections that may be missing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgemake.manual import markdown, rows


class Leg(msgspec.Struct):
    length: Annotated[int, Meta(ge=1, description="in millimetres")]


class Dog(msgspec.Struct, tag="dog", tag_field="kind"):
    name: Annotated[str, Meta(description="what it is called")]
    legs: Annotated[dict[str, dict[str, Leg]], Meta(description="its legs")]


class Bird(msgspec.Struct, tag="bird", tag_field="kind"):
    name: Annotated[str, Meta(description="what it is called")]
    wing: Leg | None
    colour: Annotated[Literal["red", "blue"], Meta(description="of the feathers")]


class Home(msgspec.Struct):
    pet: Dog | Bird
    rooms: Annotated[int | None, Meta(description="how many")]


def config(pet: dict[str, Any]) -> dict[str, Any]:
    return {"pet": pet, "rooms": None}


DOG = config({"kind": "dog", "name": "Rex", "legs": {"left": {"fore": {"length": 300}}}})


def test_mappings_of_structs_are_spelled_out() -> None:
    assert list(rows(Home, DOG)) == [
        ("pet.name", "Rex", "what it is called"),
        ("pet.legs.left.fore.length", 300, "in millimetres (>= 1)"),
        ("rooms", None, "how many"),
    ]


def test_an_empty_mapping_is_a_leaf() -> None:
    empty = config({"kind": "dog", "name": "Rex", "legs": {}})
    assert ("pet.legs", {}, "its legs") in list(rows(Home, empty))


def test_a_section_that_is_missing_or_there() -> None:
    bird: dict[str, Any] = {"kind": "bird", "name": "Ada", "colour": "red", "wing": None}
    assert ("pet.wing", None, "") in list(rows(Home, config(bird)))
    bird["wing"] = {"length": 90}
    assert ("pet.wing.length", 90, "in millimetres (>= 1)") in list(rows(Home, config(bird)))


def test_a_page_names_the_keys_of_the_other_kinds_once() -> None:
    page = markdown(Home, DOG, {"pet": ["rex", "ada"]})
    assert "- `pet=`rex, ada" in page
    assert "| `pet.legs.left.fore.length` | `300` | in millimetres (>= 1) |" in page
    other = page.split("Other keys of kind `bird`:")[1].split("##")[0]
    assert "| `pet.colour` | of the feathers (one of red, blue) |" in other
    assert "| `pet.wing.length` | in millimetres (>= 1) |" in other
    assert "pet.name" not in other
    bird = {"kind": "bird", "name": "Ada", "wing": None, "colour": "red"}
    page = markdown(Home, config(bird), {})
    assert "| `pet.legs.<name>.<name>.length` | in millimetres (>= 1) |" in page
