"""The stages of a recipe with everything that each of them inherits filled in, and what they are made of."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from mien.errors import ConfigError
from mien.training.arguments import check_arguments
from mien.training.backbones import trainable_parts
from mien.training.losses import LOSSES
from mien.training.losses.cross_batch_memory import CrossBatchMemory
from mien.training.losses.imitation import Imitation
from mien.training.losses.interop import open_foreign_loss
from mien.training.mining import Miner, open_miner
from mien.training.recipe.schema import Objective, Optimizer, Recipe, Schedule
from mien.training.sampling import check_sampler
from mien.training.trainer.frozen_front import halves
from mien.training.trainer.joint_objective import JointObjective, Part


@dataclass(frozen=True)
class ResolvedStage:
    """A stage that says everything.

    Attributes:
        name: What it is called.
        steps: How many steps it has.
        trainable: Which part of the backbone moves.
        looks: At each crop by what doesn't move, kept for all epochs; 0 for new ones always.
        losses: Its losses.
        optimizer: Its optimiser.
        schedule: Its schedule.
        steps_per_epoch: Of its batches.
    """

    name: str
    steps: int
    trainable: str
    looks: int
    losses: tuple[Objective, ...]
    optimizer: Optimizer
    schedule: Schedule
    steps_per_epoch: int

    @property
    def head_only(self) -> bool:
        """Whether the backbone stays as it is and only the losses' own weights move."""
        return self.trainable == "none"


def resolve_stages(recipe: Recipe, steps_per_epoch: int) -> tuple[ResolvedStage, ...]:
    """The recipe's stages, each with the recipe's own tables where it has none."""
    return tuple(
        ResolvedStage(
            name=name,
            steps=max(1, round(stage.epochs * steps_per_epoch)),
            trainable=stage.trainable,
            looks=stage.looks,
            losses=stage.losses or recipe.losses,
            optimizer=stage.optimizer or recipe.optimizer,
            schedule=stage.schedule or recipe.schedule,
            steps_per_epoch=steps_per_epoch,
        )
        for name, stage in zip(numbered([stage.name for stage in recipe.stages]), recipe.stages, strict=True)
    )


def check_stages(recipe: Recipe, network: nn.Module, processes: int = 1) -> None:
    """See that every stage can begin, whatever the data are; the network may be left frozen.

    Raises:
        ConfigError: A part of the backbone, a loss, the sampler or an argument is not there, nothing of a stage would
            be learnt, or it can't keep looks.
    """
    check_sampler(recipe.sampler.name, recipe.sampler.arguments)
    for stage in resolve_stages(recipe, steps_per_epoch=1):
        freeze(network, stage.trainable)
        objective = make_objective(
            stage,
            nn.Identity() if stage.head_only else network,
            people=2,  # of whom there may be millions
            embedding_size=recipe.backbone.embedding_size,
            before=None,
        )
        make_optimizer(objective, stage.optimizer)
        if stage.looks:
            if processes > 1:
                raise ConfigError("looks are kept by one process only.", hint="Leave looks out, or use one process.")
            halves(network, stage.trainable, recipe.data.side)
        for loss in objective.losses:
            if isinstance(loss, CrossBatchMemory) and len(loss.memory) < recipe.training.batch_size:
                raise ConfigError(
                    f"A batch of {recipe.training.batch_size} doesn't fit the memory of {len(loss.memory)} that "
                    "cross_batch_memory has.",
                    hint="Make its size several times as large as training.batch_size.",
                )


def make_objective(
    stage: ResolvedStage, network: nn.Module, *, people: int, embedding_size: int, before: JointObjective | None
) -> JointObjective:
    """The stage's losses around the network. A head of the stage before gives its class weights to this one's.

    Raises:
        ConfigError: A loss is unknown, or an argument is not one of its own or not of its type.
    """
    parts = [
        _part(name, objective, people, embedding_size, stage.steps_per_epoch)
        for name, objective in zip(loss_names(stage.losses), stage.losses, strict=True)
    ]
    made = JointObjective(network, parts)
    old, new = before.head if before is not None else None, made.head
    if old is not None and new is not None and old.weight.shape == new.weight.shape:
        new.weight.data.copy_(old.weight.data)
    return made


def make_optimizer(objective: JointObjective, settings: Optimizer) -> torch.optim.Optimizer:
    """An optimiser of all that moves, where the losses have a rate of their own.

    Matrices of the network and class weights decay; biases, norms, and what else losses learn, as centres, don't.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in objective.named_parameters():
        if parameter.requires_grad:
            head = name.startswith("losses.")
            decays = parameter.ndim > 1 and (not head or name.endswith(".weight"))
            groups.setdefault((head, decays), []).append(parameter)
    if not groups:
        raise ConfigError(
            "Nothing would be learnt: the backbone is frozen and the losses have no weights.",
            hint='Say trainable = "all" or "last", or choose a loss with classes.',
        )
    options = [
        {
            "params": parameters,
            "lr": settings.learning_rate * (settings.head_rate if head else 1.0),
            "weight_decay": settings.weight_decay if decays else 0.0,
        }
        for (head, decays), parameters in groups.items()
    ]
    if settings.name == "adamw":
        return torch.optim.AdamW(options, lr=settings.learning_rate)
    return torch.optim.SGD(
        options, lr=settings.learning_rate, momentum=settings.momentum, nesterov=settings.momentum > 0
    )


def freeze(network: nn.Module, trainable: str) -> None:
    """Let only a part of a network move: ``"all"``, ``"none"``, or parts that its backbone names, comma-separated."""
    moving = set(trainable_parts(network, trainable))
    for parameter in network.parameters():
        parameter.requires_grad_(parameter in moving)


def train_mode(network: nn.Module) -> None:
    """Training mode, but for norms that are frozen: their running means must not move either."""
    network.train()
    for module in _frozen_norms(network):
        module.eval()


def _frozen_norms(network: nn.Module) -> Iterator[nn.Module]:
    for module in network.modules():
        own = list(module.parameters(recurse=False))
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and own and not any(p.requires_grad for p in own):
            yield module


def loss_names(losses: Sequence[Objective]) -> list[str]:
    """What the losses of a stage are called in its log: two of one kind are numbered."""
    return numbered([loss.name for loss in losses])


def numbered(names: Sequence[str]) -> list[str]:
    """The names, with a number after those that come more than once."""
    return [
        name if names.count(name) == 1 else f"{name} {1 + names[:place].count(name)}"
        for place, name in enumerate(names)
    ]


def _part(name: str, objective: Objective, people: int, embedding_size: int, steps_per_epoch: int) -> Part:
    loss = _open_loss(objective, people, embedding_size)
    ramp, miner = round(objective.ramp * steps_per_epoch), None
    if objective.miner is not None:
        if isinstance(loss, Imitation):
            raise ConfigError("The loss imitation takes no miner: it has no pairs.", hint="Leave its miner out.")
        miner = open_miner(objective.miner.name, **objective.miner.arguments)
    if isinstance(loss, CrossBatchMemory):  # its pairs are more than the batch's
        if miner is not None and not isinstance(miner, Miner):
            raise ConfigError(
                f"{type(miner).__name__} can't pick from the pairs with a memory.",
                hint="Use one of mien's, such as semi_hard or multi_similarity.",
            )
        loss.miner, miner = miner, None
    return Part(name, loss, objective.share, ramp, miner)


def _open_loss(objective: Objective, people: int, embedding_size: int) -> nn.Module:
    name, arguments = objective.name, objective.arguments
    if name.startswith("pml:"):
        return open_foreign_loss(name, num_classes=people, embedding_size=embedding_size, **arguments)
    kind = Imitation if name == "imitation" else LOSSES.get(name)
    if kind is None:
        raise ConfigError(
            f"There is no loss {name!r}.",
            hint=f"Use one of {', '.join(sorted([*LOSSES, 'imitation']))}, or pml:Name for PyTorch-metric-learning's.",
        )
    check_arguments(f"loss {name}", kind, arguments, Objective.of_the_run)
    known = inspect.signature(kind).parameters
    given = {
        key: value for key, value in zip(Objective.of_the_run, (people, embedding_size), strict=True) if key in known
    }
    try:
        loss: nn.Module = kind(**given, **arguments)
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"The loss {name} can't be made: {problem}.") from None
    return loss
