from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan, Schedule, Target, Training


def test_channels_with_a_target() -> None:
    plan = PruningPlan(
        "m", target=Target("flops", 0.5), scope="global", training=Training(epochs=3)
    )
    assert describe(plan) == "Remove channels to 50 % of the FLOPs · L1, global · 3 epochs, adam"


def test_weights_by_the_reference_engine() -> None:
    plan = PruningPlan(
        "m",
        method="weights",
        criterion="magnitude",
        target=Target("sparsity", 0.8),
        schedule=Schedule("constant"),
        engine="tfmot",
        training=Training(epochs=1),
    )
    assert describe(plan) == (
        "Zero weights: 80 % of them · magnitude, uniform, constant schedule, by TF-MOT"
        " · 1 epoch, adam"
    )


def test_by_hand_without_retraining() -> None:
    plan = PruningPlan("m", ratios={"a": 0.5, "b": 0.0}, locked=("b",), training=Training(epochs=0))
    assert describe(plan) == "Remove channels in 1 group · L1, uniform, 1 locked · no retraining"


def test_learning_from_the_original() -> None:
    several = PruningPlan("m", ratios={"a": 0.5}, training=Training(epochs=2), cuts=3)
    assert describe(several).endswith("2 epochs, adam, in 3 cuts")
    plan = PruningPlan("m", ratios={"a": 0.5}, training=Training(epochs=2, distillation=0.5))
    assert describe(plan) == "Remove channels in 1 group · L1, uniform · 2 epochs, adam, distilled"
    matched = PruningPlan("m", ratios={"a": 0.5}, training=Training(epochs=2, feature_matching=3))
    assert describe(matched).endswith("2 epochs, adam, features matched")
