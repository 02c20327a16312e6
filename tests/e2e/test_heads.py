"""Every form of outputs, on exports of several ultralytics, as far as the files that boards run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uv

from e2e.checkout import ROOT, answer
from edgemake.compose import composed
from edgemake.digest import Digests
from edgemake.project import Project
from edgemake.resolve import Resolver

SIDE = 96
CELLS = {8: 144, 16: 36, 32: 9}
N = 189
CONTRACT = {"strides": [8, 16, 32], "box_channels": 64, "keypoint_values": 3}
GROVE_POSE = ["box_16", "box_8", "class_32", "keypoints", "class_8", "box_32", "class_16"]
FORMS: dict[str, dict[str, list[str]]] = {
    "detect": {"six_raw": [], "branch": [], "decoded": [], "decoded_normalised": [],
               "decoded_pair": []},
    "pose": {"seven_raw": GROVE_POSE, "decoded": []},
}  # fmt: skip
NETWORKS = ("yolov8n", "yolov8n-pose", "yolo11n")
OWN = "the toolchain's own"
LIBRARIES = ("8.3.0", "8.3.253", "8.4.0", OWN)
"""ultralytics whose graphs differ: 8.3 joins boxes and classes, 8.4 keeps them apart."""
NEEDED = {"8.3.0": ["tqdm"]}
"""What an older one imports and the toolchain lacks."""
OTHERS = {
    "yolov8n-seg": "it has 2 outputs, not one, as segmentation networks have",
    "yolov8n-cls": "its output is [1, 1000], as of classification networks",
    "yolov8n-obb": "branches of 1 channels that are neither classes nor keypoints",
    "yolo26n": "none of its branches states box sides as distributions",
    "yolov8n-pose@5,2": "keypoints of 2 values; the board decodes 3",
}


def told(toolchain: str, check: str, *arguments: object) -> Any:
    """What a check prints, run by a toolchain's Python."""
    project = Project(ROOT)
    digest, _ = Resolver(project, Digests(project.host_state, writable=False)).lock(toolchain)
    return answer({"name": toolchain, "lock": digest}, check, *arguments)


def installed(version: str, folder: Path) -> Path:
    """That ultralytics alone, in a folder of its own; torch and the rest are the toolchain's."""
    packages = [f"ultralytics=={version}", *NEEDED.get(version, [])]
    command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, *packages], check=True)
    return folder


@pytest.fixture(scope="module", params=LIBRARIES)
def heads(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`NETWORK FORM` -> what came of it, for the exports of one ultralytics."""
    version, folder = request.param, tmp_path_factory.mktemp("heads")
    library = "" if version == OWN else str(installed(version, folder / "library"))
    made = told("torch", "make_heads.py", folder / "networks", library, SIDE, *NETWORKS)
    assert version in (OWN, made)
    contract, forms = json.dumps(CONTRACT), json.dumps(FORMS)
    found = told("images", "heads.py", folder / "networks", folder / "out", contract, forms)
    wanted = [
        f"{network}{simple} {form}"
        for network in NETWORKS
        for simple in ("", "-simple")
        for form in FORMS["pose" if "pose" in network else "detect"]
    ]
    assert sorted(found) == sorted(wanted)
    return found


def test_every_form_decodes_to_what_pytorch_says(heads: Any) -> None:
    for name, found in heads.items():
        off = found["off"]
        assert off["best"] > 0.5, name  # or equal scores would show nothing
        assert off["spread"] > 10, name
        assert off["compared"] > N / 4, name
        assert off["box"] <= 0.5, name
        assert off["score"] <= 1e-3, name
        assert ("keypoint" in off) == ("pose" in name)
        assert off.get("keypoint", 0) <= 0.5, name


def test_outputs_are_of_the_shapes_that_boards_tell_apart(heads: Any) -> None:
    for name, found in heads.items():
        network, form = name.split()
        report, pose = found["report"], "pose" in network
        classes = 1 if pose else 80
        assert report["form"] == form
        assert report["classes"] == classes
        assert report["task"] == ("pose" if pose else "detect")
        assert report["keypoints"] == ([17, 3] if pose else None)
        shapes = {output["name"]: output["shape"] for output in report["outputs"]}
        assert list(shapes) == found["outputs"]
        raw = {f"box_{s}": [1, n, 64] for s, n in CELLS.items()}
        raw |= {f"class_{s}": [1, n, classes] for s, n in CELLS.items()}
        if form == "six_raw":
            assert list(shapes.items()) == list(raw.items())
        elif form == "seven_raw":
            wanted = raw | {"keypoints": [1, N, 51]}
            assert list(shapes.items()) == [(name, wanted[name]) for name in GROVE_POSE]
        elif form == "decoded":
            assert list(shapes.values()) == [[1, 4 + classes + (51 if pose else 0), N]]
        elif form == "decoded_normalised":
            assert shapes == {"decoded": [1, 84, N]}
        elif form == "branch":
            each = [
                [[1, 64, side, side], [1, 80, side, side], [1, 1, side, side]]
                for side in (12, 6, 3)
            ]
            assert list(shapes.values()) == [shape for stride in each for shape in stride]
            assert [output["role"] for output in report["outputs"]] == [
                "box", "class", "score_sum",
            ] * 3  # fmt: skip


def test_quantization_stops_at_the_last_convolution_of_each_branch(heads: Any) -> None:
    for name, found in heads.items():
        network, form = name.split()
        cuts = found["report"]["cuts"]
        if form != "decoded":
            assert cuts == []
            continue
        # The names that ultralytics gives these layers; the stage does not look at names.
        layers = ("cv2", "cv3", "cv4") if "pose" in network else ("cv2", "cv3")
        ends = [f"/{layer}.{level}.2/Conv_output_0" for layer in layers for level in range(3)]
        assert len(cuts) == len(ends)
        assert all(cut.endswith(end) for cut, end in zip(cuts, ends, strict=True)), cuts


def test_files_for_onnx_runtimes_say_what_those_ask_for(heads: Any) -> None:
    for name, found in heads.items():
        form = name.split()[1]
        assert found["kernels"], name
        assert ("names" in found["metadata"]) == (form in ("decoded", "branch")), name


def test_other_networks_are_refused_in_words(tmp_path: Path) -> None:
    told("torch", "make_heads.py", tmp_path / "networks", "", SIDE, *OTHERS)
    forms = json.dumps({"detect": {"six_raw": []}, "pose": {"seven_raw": GROVE_POSE}})
    found = told(
        "images", "heads.py", tmp_path / "networks", tmp_path / "out", json.dumps(CONTRACT), forms
    )
    assert len(found) == 2 * len(OTHERS)
    for name, result in found.items():
        network = name.split()[0].removesuffix("-simple")
        assert OTHERS[network] in result["refused"], name


# --- as int8 TFLite -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Form -> what came of it as an int8 file, at 64 pixels: 84 cells, as many as decoded rows."""
    folder = tmp_path_factory.mktemp("boards")
    told("torch", "make_heads.py", folder / "networks", "", 64, "yolov8n", "yolov8n-pose")
    for spare in (folder / "networks").glob("*-simple.onnx"):
        spare.rename(spare.with_name(spare.name.replace("-simple", "")))
    forms = {"detect": {"decoded_normalised": []}, "pose": {"seven_raw": GROVE_POSE}}
    arguments = (folder / "networks", folder / "out", json.dumps(CONTRACT), json.dumps(forms))
    return {
        name.split()[1]: {
            **found,
            **told("tensorflow", "tflite_heads.py", folder / "out" / name),
            "file": folder / "out" / name / "int8/model_int8.tflite",
        }
        for name, found in told("images", "heads.py", *arguments).items()
    }


def test_int8_files_keep_the_order_of_the_head(boards: dict[str, Any]) -> None:
    for form, found in boards.items():
        outputs = found["report"]["outputs"]
        assert found["file_outputs"] == [output["shape"] for output in outputs], form
        described = found["quantize"]["outputs"]
        assert [entry["name"] for entry in described] == [o["name"] for o in outputs], form
        for entry in described:
            scored = entry["role"] in ("class", "decoded")
            assert ("largest_sigmoid" in entry) == scored, entry


def test_int8_files_say_nearly_what_the_float_network_says(boards: dict[str, Any]) -> None:
    for form, found in boards.items():
        assert found["best"] > 0.5, form
        assert found["score"] <= 0.05, form
        assert found["box"] <= found["spread"] / 8, form  # random weights lose much to 8 bits
    pose = boards["seven_raw"]
    assert pose["keypoint"] <= pose["spread"] / 4


def test_boxes_and_scores_share_one_fine_scale(boards: dict[str, Any]) -> None:
    [output] = boards["decoded_normalised"]["quantize"]["outputs"]
    assert output["shape"] == [1, 84, 84]
    assert output["scale"] <= 1.01 / 255


def test_a_cpu_board_has_every_operator(boards: dict[str, Any]) -> None:
    known = composed(ROOT / "conf", ["target=xiao_esp32s3"])["target"]["contract"]["operators"]
    for form, found in boards.items():
        assert set(found["operators"]) <= set(known), form


def test_an_npu_takes_all_of_it(boards: dict[str, Any], tmp_path: Path) -> None:
    vela = composed(ROOT / "conf", ["target=grove_v2"])["target"]["vela"]
    for form, found in boards.items():
        report = told("vela", "compiled.py", found["file"], tmp_path / form, json.dumps(vela))
        assert report["npu_percent"] == 100, form
        assert report["outputs"] == [o["shape"] for o in found["report"]["outputs"]], form
