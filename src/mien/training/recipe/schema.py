"""What a recipe may say: every table and key, with its type, its range and its meaning."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mien.synthesis import Nuisances

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Rate = Literal["1e-1", "1e-2", "1e-3", "1e-4"]


class Table(BaseModel):
    """A table of a recipe: unknown keys are refused, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OpenTable(BaseModel):
    """A table whose other keys are arguments of what `name` names.

    Attributes:
        of_the_run: Arguments that the run itself gives.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    of_the_run: ClassVar[tuple[str, ...]] = ()
    name: str

    @model_validator(mode="after")
    def _leaves_the_run_its_own(self) -> Self:
        if given := [key for key in self.arguments if key in self.of_the_run]:
            raise ValueError(f"{', '.join(given)} can't be set here: the run itself knows")
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """The keys that the schema doesn't know."""
        return dict(self.model_extra or {})


class Synthetic(Table):
    """People who don't exist."""

    people: Count = Field(description="How many.")
    photos: Count = Field(8, description="Photos of each.")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="The same seed gives the same people.")
    first: Annotated[int, Field(ge=0)] = Field(0, description="Number of the first, so that two sets share nobody.")
    variation: Share = Field(0.3, description="How much the photos of one person differ.")
    nuisances: dict[str, float] = Field(
        {}, description="How far photos may be from plain ones, as in {yaw = 20, blur = 1.5, mask = 0.2}; else mild."
    )

    @model_validator(mode="after")
    def _known_nuisances(self) -> "Synthetic":
        known = [field.name for field in fields(Nuisances)]
        if unknown := [name for name in self.nuisances if name not in known]:
            raise ValueError(f"there are no nuisances {', '.join(unknown)}; there are {', '.join(known)}")
        self.made_nuisances()
        return self

    def made_nuisances(self) -> Nuisances:
        """Those of the table, the others mild."""
        return Nuisances(**self.nuisances)  # type: ignore[arg-type]


class Source(Table):
    """Where photos come from: exactly one of `folder`, `csv`, `shards`, `crops` and `synthetic`."""

    folder: Path | None = Field(None, description="A folder with a sub-folder for each person.")
    csv: Path | None = Field(None, description="A table with the columns path and person.")
    shards: Path | None = Field(None, description="A folder of WebDataset shards (.tar).")
    crops: Path | None = Field(None, description="A folder of crops that `mien train` cut before.")
    synthetic: Synthetic | None = Field(None, description="People who don't exist.")
    name: str = Field("", description="Keeps its people apart from those of the same name in other sources.")
    aligned: bool = Field(False, description="The photos are crops aligned to arcface-112 already.")
    people: Count | None = Field(None, description="Take only so many people, drawn by the recipe's seed.")
    photos_per_person: Count | None = Field(None, description="Take at most so many photos of each.")
    share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="This share of each batch comes from here, the rest from the sources that don't say."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Source":
        kinds = [self.folder, self.csv, self.shards, self.crops, self.synthetic]
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError("name exactly one of folder, csv, shards, crops and synthetic")
        return self


class Data(Table):
    """What is learnt from, and how large the crops are."""

    sources: tuple[Source, ...] = Field(min_length=1, description="One or more sources, joined.")
    side: Annotated[int, Field(ge=32, le=112)] = Field(112, description="Width and height of the crops in pixels.")
    leave_out: Path | None = Field(None, description="A text file with the names of people to leave out, one a line.")
    cache: Path = Field(Path("crops"), description="Where crops are kept, so that they are cut only once.")

    @model_validator(mode="after")
    def _room_for_the_rest(self) -> "Data":
        shares = [source.share for source in self.sources if source.share is not None]
        if len(shares) == len(self.sources) or sum(shares) >= 1:
            raise ValueError("leave room in a batch for a source without a share: shares must sum to less than 1")
        return self


class Validation(Table):
    """People the network never learns from; they say when it is at its best."""

    sources: tuple[Source, ...] = Field((), description="Their photos; without any, a share of the people is held out.")
    held_out: Share = Field(0.1, description="Share of the training people held out, where there are no sources.")
    every: Count = Field(1, description="Epochs between two validations.")
    fmr: Rate = Field("1e-2", description="The true match rate here is compared.")

    @field_validator("fmr", mode="before")
    @classmethod
    def _number_as_text(cls, given: Any) -> Any:
        return next((rate for rate in get_args(Rate) if given == float(rate)), given)

    @model_validator(mode="after")
    def _no_shares(self) -> "Validation":
        if any(source.share is not None for source in self.sources):
            raise ValueError("a source to validate with has no share: it is in no batch")
        return self


class Backbone(OpenTable):
    """The network; other keys are its own arguments."""

    of_the_run = ("input_size",)
    name: str = Field("small", description="small, mobilefacenet, iresnet18 … iresnet100, sface, or module:Class.")
    embedding_size: Count = Field(128, description="Numbers in an embedding.")
    start: Path | None = Field(None, description="A run folder or checkpoint whose weights it starts from.")


class Miner(OpenTable):
    """What picks pairs or triplets; other keys are its own arguments."""

    name: str = Field(description="batch_hard, semi_hard, …, or pml:Name.")

    @model_validator(mode="before")
    @classmethod
    def _of_a_name(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


class Objective(OpenTable):
    """A loss; other keys are its own arguments, such as s and m."""

    of_the_run = ("num_classes", "embedding_size")
    name: str = Field(description="softmax, cosface, arcface, triplet, … (docs/losses.md), imitation, or pml:Name.")
    share: Annotated[float, Field(ge=0)] = Field(1.0, description="Its weight in the sum of losses.")
    ramp: Annotated[float, Field(ge=0)] = Field(0.0, description="Epochs over which the weight grows from 0.")
    miner: Miner | None = Field(None, description="What picks pairs or triplets for it: a name, or a table with one.")


class Sampler(OpenTable):
    """How batches are drawn; other keys are the sampler's own arguments."""

    of_the_run = ("labels", "names", "batch_size", "seed")
    name: str = Field("shuffled", description="shuffled, pk, balanced, square_root, class_aware, triplets or pml:Name.")


class Optimizer(Table):
    """How weights move."""

    name: Literal["sgd", "adamw"] = Field("sgd", description="Which optimiser.")
    learning_rate: Positive = Field(0.1, description="The highest rate, for the backbone.")
    head_rate: Positive = Field(1.0, description="The losses' own weights move at this times the rate.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Of sgd.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(5e-4, description="On weights, not on biases and norms.")
    clip: Annotated[float, Field(ge=0)] = Field(5.0, description="Longest gradient; 0 for no limit.")


class Schedule(Table):
    """How the rate changes over a stage."""

    name: Literal["cosine", "steps", "constant"] = Field("cosine", description="Its form after the warm-up.")
    warm_up: Share = Field(0.05, description="Share of the stage in which the rate grows from 0.")
    steps: tuple[Share, ...] = Field((0.5, 0.75, 0.9), description="Shares of the stage after which the rate falls.")
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="What each step multiplies the rate by.")
    last: Share = Field(0.0, description="Where the cosine ends, as a share of the highest rate.")


class Stage(Table):
    """A stretch of training. What it doesn't say is as in the recipe's own tables."""

    name: str = Field("training", description="What it is called in the log.")
    epochs: Positive = Field(10, description="How often each crop is seen; may be a fraction.")
    trainable: str = Field("all", description="What moves of the backbone: all, last, head or none, or parts by name.")
    looks: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Run what doesn't move once only, on so many augmented looks at each crop; 0: new ones each time.",
    )
    losses: tuple[Objective, ...] = Field((), description="Its losses, instead of the recipe's.")
    optimizer: Optimizer | None = Field(None, description="Its optimiser, instead of the recipe's.")
    schedule: Schedule | None = Field(None, description="Its schedule, instead of the recipe's.")


class Teacher(Table):
    """An encoder whose embeddings the loss `imitation` is given."""

    encoder: str = Field("sface", description="A shipped encoder or the path of a model card.")
    flip: bool = Field(True, description="Whether its embedding is the sum of the crop's and its mirror image's.")
    views: Annotated[int, Field(ge=0)] = Field(0, description="Views of each crop it is asked of too: moved, blended.")
    runtime: Literal["auto", "onnxruntime", "openvino"] = Field("auto", description="What runs it.")
    precision: Literal["f32", "bf16"] = Field("f32", description="What it computes in; bf16 is faster with OpenVINO.")


class Training(Table):
    """How the loop runs."""

    batch_size: Annotated[int, Field(ge=2)] = Field(128, description="Crops a step.")
    precision: Literal["f32", "bf16"] = Field("f32", description="What the backbone computes in.")
    compile: bool = Field(
        False, description="Compile the network first, a minute: steps are faster; needs a C++ compiler."
    )
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="Decay of the averaged weights; 0 for none.")
    patience: Count | None = Field(None, description="Validations without a better one after which a stage ends.")
    minutes: Positive | None = Field(None, description="Stop in good order after so long; run again to go on.")
    checkpoint_minutes: Positive = Field(5.0, description="Minutes between two checkpoints.")
    collapse: Share = Field(0.95, description="Mean cosine between strangers in a batch above which it stops.")


class Recipe(Table):
    """Everything that a run depends on, and nothing else does it depend on."""

    title: str = Field("", description="What it is for, in a line.")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        0, description="Draws the batches, the augmentation and the weights."
    )
    data: Data
    validation: Validation = Validation()
    backbone: Backbone = Backbone(name="small")
    losses: tuple[Objective, ...] = Field(min_length=1, description="The losses whose weighted sum is made small.")
    sampler: Sampler = Sampler(name="shuffled")
    augmentation: dict[str, Any] = Field(
        {"flip": 0.5}, description="Changes of the crops, by name: shares, or tables (docs/training.md)."
    )
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    training: Training = Training()
    stages: tuple[Stage, ...] = Field((Stage(),), min_length=1, description="One after another.")
    teacher: Teacher | None = None

    @model_validator(mode="before")
    @classmethod
    def _stages_inherit(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("stages"), list | tuple):
            return given
        return {**given, "stages": [_inheriting(stage, given) for stage in given["stages"]]}

    @model_validator(mode="after")
    def _a_teacher_for_imitation_alone(self) -> "Recipe":
        losses = [loss.name for stage in self.stages for loss in stage.losses or self.losses]
        if "imitation" in losses and self.teacher is None:
            raise ValueError("the loss imitation needs a teacher: add a table [teacher]")
        if self.teacher is not None and self.teacher.views and set(losses) != {"imitation"}:
            raise ValueError("views show two people under one name: leave teacher.views out beside losses with names")
        return self


def _inheriting(stage: Any, recipe: dict[str, Any]) -> Any:
    """A stage whose own tables say what they don't as the recipe's do."""
    if not isinstance(stage, dict):
        return stage
    inherited = {
        name: {**recipe[name], **stage[name]}
        for name in ("optimizer", "schedule")
        if isinstance(recipe.get(name), dict) and isinstance(stage.get(name), dict)
    }
    return {**stage, **inherited}
