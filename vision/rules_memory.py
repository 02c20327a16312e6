"""Rules on memory: the tensor arena and the flash. Compilers never fail for want of them."""

from __future__ import annotations

from collections.abc import Iterator

from vision.contract import Cost, Facts, Line, Rules, line, unproven
from vision.tensor_roles import side

SMALLER = "take a smaller model"


def arena_limit(rules: Rules, cost: Cost) -> int:
    """Bytes that a model may take: an estimate must leave the margin free."""
    margin = rules.arena_margin if cost.estimated else 0
    return int(rules.arena_bytes * (1 - margin))


def arena_rule(rules: Rules, facts: Facts) -> Iterator[Line]:
    """What the model takes at run time, against what the board has."""
    cost, limit = facts.cost, arena_limit(rules, facts.cost)
    demanded = f"at most {limit} bytes"
    if cost.estimated and rules.arena_margin:
        demanded += f": {rules.arena_bytes} less {100 * rules.arena_margin:g} % for the estimate"
    used = cost.arena_bytes
    if used is None and not cost.fault:
        why = "the file holds no plan of vela's; give an int8 file, and it is compiled here"
        yield unproven("arena", "not known", demanded, why, key="memory.arena_bytes")
        return
    if used is None:
        found, remedy = f"{cost.tool} cannot run it: {cost.fault}", "see the other rules"
    else:
        found, remedy = f"{used} bytes ({cost.source})", _too_large(rules, facts, used - limit)
    fits = used is not None and used <= limit
    yield line("arena", fits, found, demanded, remedy, key="memory.arena_bytes")


def _too_large(rules: Rules, facts: Facts, excess: int) -> str:
    text = f"{excess} bytes too many"
    fitting = fitting_side(rules, facts)
    return f"{text}; {f'model.imgsz={fitting} should fit' if fitting else SMALLER}"


def fitting_side(rules: Rules, facts: Facts) -> int | None:
    """The largest input size below the model's that should fit; None when none does.

    Feature maps grow with the square of the side, what the interpreter keeps of the graph does
    not grow: arena(s) = fixed + (arena - fixed) * (s / side)².
    """
    now, cost = side(facts.model), facts.cost
    if not now or cost.arena_bytes is None:
        return None
    growing = cost.arena_bytes - cost.fixed_bytes
    sizes = range(rules.imgsz_multiple, now, rules.imgsz_multiple)
    limits = {str(size): rules.arena_bytes for size in sizes if size >= rules.min_imgsz}
    margin = rules.arena_margin if cost.estimated else 0
    for size, arena in sorted((rules.arena_by_size or limits).items(), key=lambda s: -int(s[0])):
        needed = cost.fixed_bytes + growing * (int(size) / now) ** 2
        if int(size) < now and needed <= arena * (1 - margin):
            return int(size)
    return None


def flash_rules(rules: Rules, facts: Facts) -> Iterator[Line]:
    """The file against the flash, and against the slot before the next model's."""
    size = facts.file_bytes
    yield line(
        "flash",
        size <= rules.flash_bytes,
        f"{size} bytes",
        f"at most {rules.flash_bytes} bytes",
        SMALLER,
        key="memory.flash_bytes",
    )
    if rules.flash_slot_bytes is not None:
        yield line(
            "flash slot",
            size <= rules.flash_slot_bytes,
            f"{size} bytes",
            f"at most {rules.flash_slot_bytes} bytes for a neighbour in the next slot",
            "put this model into the first slot and leave the next ones empty",
            key="memory.flash_slot_bytes",
            otherwise="warn",
        )
