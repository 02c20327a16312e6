"""Rules on the outputs of each form that a firmware decodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vision.contract import Facts, Line, Rule, Rules, line
from vision.tensor_roles import BOX, CLASS, CORNERS, KEYPOINTS, grids, roles, side


def six_raw(rules: Rules, facts: Facts) -> Iterator[Line]:
    """A box and a class tensor for each stride, told apart by their channels."""
    yield _count(facts, 2 * len(rules.strides))
    yield from _branches(rules, facts)
    yield from _order(rules, facts)


def seven_raw(rules: Rules, facts: Facts) -> Iterator[Line]:
    """The tensors of `six_raw`, and the keypoints of all cells in one tensor."""
    yield _count(facts, 2 * len(rules.strides) + 1)
    yield from _branches(rules, facts)
    yield from _keypoints(rules, facts)
    yield from _order(rules, facts)


def decoded_normalised(rules: Rules, facts: Facts) -> Iterator[Line]:
    """One tensor `[1, 4 + classes, cells]`: centre and size as parts of the image, then scores."""
    yield _count(facts, 1)
    cells, channels = sum(grids(rules, side(facts.model))), CORNERS + facts.classes
    shapes = [tensor.shape for tensor in facts.model.outputs]
    remedy = "the head must emit 4 box values and a score for each class, for every cell"
    if shapes == [(1, cells, channels)]:
        remedy = "swap its last two axes: the firmware does not read a cell after a cell"
    yield line(
        "decoded tensor",
        shapes == [(1, channels, cells)],
        _list(shapes),
        [1, channels, cells],
        remedy,
        key="contract.strides",
    )
    yield from _parts_of_the_image(rules, facts)


def decoded_pair(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Boxes `[1, 4, cells]` as parts of the image, then scores `[1, cells, classes]`."""
    yield _count(facts, 2)
    cells = sum(grids(rules, side(facts.model)))
    wanted = [(1, CORNERS, cells), (1, cells, facts.classes)]
    shapes = [tensor.shape for tensor in facts.model.outputs]
    yield line(
        "decoded tensors",
        shapes == wanted,
        _list(shapes),
        _list(wanted),
        "the head must emit boxes by value and scores by cell, in this order",
        key="contract.strides",
    )
    yield from _parts_of_the_image(rules, facts)


def _parts_of_the_image(rules: Rules, facts: Facts) -> Iterator[Line]:
    """Values in 0..1 have a small scale; boxes in pixels would have one of about side / 255."""
    if rules.max_scale is not None:
        scales = [scale for tensor in facts.model.outputs for scale in tensor.scales]
        if not scales:
            return  # float outputs; their type is the fault
        yield line(
            "decoded scale",
            max(scales) < rules.max_scale,
            ", ".join(f"{scale:.6f}" for scale in scales),
            f"below {rules.max_scale:g}: boxes as parts of the image",
            "such values are pixels, in which the firmware never finds a box: divide the boxes by "
            "the input's side",
            key="outputs, max_scale",
        )


FORMS: Mapping[str, Rule] = {
    "six_raw": six_raw,
    "seven_raw": seven_raw,
    "decoded_normalised": decoded_normalised,
    "decoded_pair": decoded_pair,
}
"""Form of the outputs (`target.outputs.….form`) -> its rules."""


def _count(facts: Facts, wanted: int) -> Line:
    found = len(facts.model.outputs)
    remedy = "choose the form with target.output, and let the head stage cut the network"
    return line("output count", found == wanted, found, wanted, remedy, key="outputs")


def _branches(rules: Rules, facts: Facts) -> Iterator[Line]:
    cells = grids(rules, side(facts.model))
    remedy = (
        f"exactly one tensor a stride may have {rules.box_channels} channels: cut the head there, "
        "or change the number of classes"
    )
    yield _shapes(rules, facts, BOX, [(1, n, rules.box_channels) for n in cells], remedy)
    remedy = "the data set's names and the trained network must have the same number of classes"
    yield _shapes(rules, facts, CLASS, [(1, n, facts.classes) for n in cells], remedy)


def _shapes(
    rules: Rules, facts: Facts, kind: str, wanted: Sequence[tuple[int, ...]], remedy: str
) -> Line:
    found = sorted(
        tensor.shape
        for tensor, role in zip(facts.model.outputs, roles(rules, facts.model), strict=True)
        if role.kind == kind
    )
    key = "contract.box_channels" if kind == BOX else "contract.strides"
    return line(
        f"{kind} tensors", found == sorted(wanted), _list(found), _list(sorted(wanted)), remedy,
        key=key,
    )  # fmt: skip


def _keypoints(rules: Rules, facts: Facts) -> Iterator[Line]:
    """One tensor of all cells; each keypoint as many values as the firmware reads."""
    cells = sum(grids(rules, side(facts.model)))
    pairs = zip(facts.model.outputs, roles(rules, facts.model), strict=True)
    found = [tensor.shape for tensor, role in pairs if role.kind == KEYPOINTS]
    values = rules.keypoint_values
    many = rules.keypoints or (facts.keypoints[0] if facts.keypoints else None)
    right = len(found) == 1 and found[0][-1] % values == 0 and found[0][-1] > 0
    if many is not None:
        right = right and found[0][-1] == many * values
    yield line(
        "keypoint tensor",
        right,
        _list(found),
        f"[1, {cells}, {f'{many} x ' if many else 'K x '}{values}]",
        f"train with kpt_shape: [{rules.keypoints or 'K'}, {values}], as the firmware reads them",
        key="contract.keypoint_values",
    )


def _order(rules: Rules, facts: Facts) -> Iterator[Line]:
    if rules.order:
        found = [role.name for role in roles(rules, facts.model)]
        yield line(
            "output order",
            found == rules.order,
            ", ".join(found),
            ", ".join(rules.order),
            "the firmware knows its outputs by their place; report this as a fault of the build",
            key="outputs, order",
        )


def _list(shapes: Sequence[tuple[int, ...]]) -> str:
    return " ".join(str(list(shape)) for shape in shapes) or "none"
