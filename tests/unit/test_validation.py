from stage_configs import config

from edgemake.step import Step
from stages import validation

DATA = Step("dataset", {}, {}, ("manifest.json", "data"))


def test_every_board_of_one_preprocessing_shares_the_images() -> None:
    grove = validation.plan(config(), DATA)
    xiao = validation.plan(config("target=xiao_esp32s3"), DATA)
    assert grove.params == xiao.params == validation.Params(64, 192, "stretch")
    assert validation.plan(config("target=spacemit_k1"), DATA).params.preprocess == "letterbox"
    assert grove.outputs == ("validation.npy",)
    assert set(grove.inputs) == {"manifest.json", "data"}


def test_more_images_when_more_are_run() -> None:
    assert validation.plan(config("diagnose.images=200"), DATA).params.count == 200
    assert validation.plan(config("diagnose.images=2"), DATA).params.count == validation.LEAST
