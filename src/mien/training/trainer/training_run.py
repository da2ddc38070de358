"""One run: its state, from which it goes on bit for bit, and the loop that moves it."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mien.errors import ConfigError, TrainingError
from mien.evaluation import Comparisons, Estimate, VerificationMeasures, verification_measures
from mien.progress import report
from mien.training.data.preparing import PreparedData
from mien.training.recipe.schema import Recipe
from mien.training.trainer.batches import Batch, Batches, EmbeddedBatches
from mien.training.trainer.checkpoint import load_checkpoint, random_states, save_checkpoint, set_random_states
from mien.training.trainer.frozen_front import FeatureBatches, halves
from mien.training.trainer.head_watch import HeadWatch, target_logits
from mien.training.trainer.interruptions import interruptions_later
from mien.training.trainer.joint_objective import JointObjective, Outcome, mean_stranger_cosine
from mien.training.trainer.run_folder import BEST, CHECKPOINT
from mien.training.trainer.run_log import ANGLES, CURVES, STEPS, VALIDATIONS, RunLog
from mien.training.trainer.schedule import rate_factor
from mien.training.trainer.stages import (
    ResolvedStage,
    freeze,
    loss_names,
    make_objective,
    make_optimizer,
    resolve_stages,
    train_mode,
)
from mien.training.trainer.validation import compare_strangers, embed_crops

LOG_EVERY = 20
"""Steps between two rows of the log; each validation has one too, which may be a short run's only one."""
RESAMPLES = 100
"""Bootstrap replicates for the intervals of a validation."""
COLLAPSED_ROWS = 10
"""Rows of the log, `LOG_EVERY` steps apart, whose embeddings all point one way, after which the run stops."""

Tell = Callable[[str], None]


@dataclass
class Position:
    """How far a run is; plain values, so that a checkpoint can hold it.

    Attributes:
        step: Steps that are over, of all stages.
        stage: The stage that is on.
        stage_step: Steps of it that are over.
        best: The best validation's score.
        best_step: When that was.
        stale: Validations since.
        validated: The step of the last validation.
        loss: The last step's.
        collapsed: Rows of the log in a row with collapsed embeddings.
        length: Of the last embeddings logged, on average.
        seconds: Time spent in steps.
    """

    step: int = 0
    stage: int = 0
    stage_step: int = 0
    best: float = -1.0
    best_step: int = 0
    stale: int = 0
    validated: int = 0
    loss: float = 0.0
    collapsed: int = 0
    length: float = 1.0
    seconds: float = 0.0


class TrainingRun:
    """A network in training.

    Args:
        recipe: What the run depends on.
        data: Crops to learn from and to validate with, made by the recipe.
        network: (N, 3, S, S) to (N, D).
        batches: The batches of the run, by step.
        folder: Where the run is kept; a checkpoint that is there is gone on from.
        accelerator: The devices, processes and precision that it runs on.
        tensorboard: Write events for TensorBoard too.
        tell: Called with a line on each validation.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: PreparedData,
        network: nn.Module,
        batches: Batches,
        folder: Path,
        accelerator: Accelerator,
        *,
        tensorboard: bool = False,
        tell: Tell = lambda line: None,
    ) -> None:
        self.recipe = recipe
        self.data = data
        self.batches = batches
        self.folder = folder
        self.tell = tell
        self.accelerator = accelerator
        self.network = network.to(self.accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.stages = resolve_stages(recipe, batches.steps_per_epoch)
        self.position = Position()
        self.objective: JointObjective | None = None
        self.watch = HeadWatch()
        self.average = averaged(network, recipe.training.ema) if recipe.training.ema else None
        state = load_checkpoint(folder / CHECKPOINT) if (folder / CHECKPOINT).exists() else None
        if state is not None:
            self._refuse_other_photos(state)
            with self._fitting():
                self.position = Position(**state["position"])
        self._begin_stage()
        if state is not None:
            self._restore(state)
        self.log = RunLog(folder, self.position.step, tensorboard=tensorboard) if accelerator.is_main_process else None
        self._saved = time.monotonic()

    @property
    def judged_network(self) -> nn.Module:
        """The network that is validated and exported: the averaged one, where there is one."""
        return self.average.module if self.average is not None else self.network

    def finish(self, minutes: float | None = None) -> bool:
        """Run all stages to their end.

        Args:
            minutes: Stop in good order after so long.

        Returns:
            Whether the run is over; if not, the same call on a run of the same folder goes on.

        Raises:
            TrainingError: The loss is no number, or the embeddings have collapsed.
        """
        deadline = time.monotonic() + 60 * minutes if minutes else None
        try:
            while self.position.stage < len(self.stages):
                if not self._finish_stage(self.stages[self.position.stage], deadline):
                    return False
                with interruptions_later():
                    self._end_stage()
            if not self.position.validated:  # only losses have learnt, and the network is the best there is
                self._validate_for_all(self.stages[-1])
        except KeyboardInterrupt:
            self.save()
            raise
        self.save()
        return True

    def save(self) -> None:
        """Write the checkpoint."""
        if not self.accelerator.is_main_process:
            return
        assert self.objective is not None
        save_checkpoint(
            {
                "position": vars(self.position).copy(),
                "network": self.network.state_dict(),
                "losses": self.objective.losses.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.state_dict() if self.average is not None else None,
                "random": random_states(self.accelerator.device),
                "angles": {name: torch.from_numpy(counts) for name, counts in self.watch.counts.items()},
                "backbone": self.recipe.backbone.model_dump(mode="json"),
                "side": self.recipe.data.side,
                "photos": self.data.fingerprints,
            },
            self.folder / CHECKPOINT,
        )
        self._saved = time.monotonic()

    def _begin_stage(self) -> None:
        stage = self.stages[min(self.position.stage, len(self.stages) - 1)]
        freeze(self.network, stage.trainable)
        torch.manual_seed(self.recipe.seed + 1000 * self.position.stage)
        self.front, moving = self._divided(stage)
        self.objective = make_objective(
            stage,
            moving,
            people=len(self.data.train.people),
            embedding_size=self.recipe.backbone.embedding_size,
            before=self.objective,
        ).to(self.accelerator.device)
        optimizer = make_optimizer(self.objective, stage.optimizer)
        self.rates = [group["lr"] for group in optimizer.param_groups]
        self.watch.begin()
        self.accelerator.free_memory()  # or it holds the stages before, momentum and class vectors included
        self.prepared, self.optimizer = self.accelerator.prepare(self.objective, optimizer)

    def _end_stage(self) -> None:
        position = self.position
        self._write_curve(self.stages[position.stage])
        self._features.unlink(missing_ok=True)
        position.stage, position.stage_step, position.stale = position.stage + 1, 0, 0
        if position.stage < len(self.stages):
            self._begin_stage()

    def _restore(self, state: dict[str, Any]) -> None:
        assert self.objective is not None
        with self._fitting():
            self.network.load_state_dict(state["network"])
            self.objective.losses.load_state_dict(state["losses"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            set_random_states(state["random"])
            self.watch.counts = {name: counts.numpy() for name, counts in state["angles"].items()}

    def _refuse_other_photos(self, state: dict[str, Any]) -> None:
        now = self.data.fingerprints
        before = state.get("photos", now)  # a run begun by a version that didn't note them isn't refused
        if changed := [purpose for purpose in now if before[purpose] != now[purpose]]:
            raise ConfigError(
                f"The photos to {' and to '.join(changed)} have changed since the run in {self.folder} was begun.",
                hint="Put them back as they were, or train into another folder.",
            )

    @contextmanager
    def _fitting(self) -> Iterator[None]:
        """Say in words that what is read within doesn't fit."""
        try:
            yield
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as problem:
            raise TrainingError(
                f"The checkpoint in {self.folder} is of another version of mien, or doesn't fit the recipe: "
                f"{str(problem).splitlines()[0]}",
                hint="Train into another folder, or with the recipe that this run was begun with.",
            ) from None

    def _finish_stage(self, stage: ResolvedStage, deadline: float | None) -> bool:
        train_mode(self.network)
        position = self.position
        first = position.step - position.stage_step
        if self._gets_no_better(stage):  # an interruption may have come before the validation, or just after it
            return True
        for batch in self._batches(stage).between(position.step, first + stage.steps):
            with interruptions_later():
                self._take_step(stage, batch)
            last = position.stage_step == stage.steps
            if self._gets_no_better(stage):
                return True
            if not last and self._out_of_time(deadline):
                self.save()
                return False
            if time.monotonic() - self._saved > 60 * self.recipe.training.checkpoint_minutes:
                self.save()
        return True

    def _take_step(self, stage: ResolvedStage, batch: Batch) -> None:
        position, start = self.position, time.perf_counter()
        rate = rate_factor(stage.schedule, position.stage_step / stage.steps)
        outcome = self._step(stage, batch, rate)
        position.step, position.stage_step = position.step + 1, position.stage_step + 1
        position.loss = float(outcome.total.detach())
        position.seconds += time.perf_counter() - start
        report(f"training: {stage.name}", position.stage_step, stage.steps)
        if position.stage_step % LOG_EVERY == 0 or position.stage_step == stage.steps or self._validation_due(stage):
            self._write_step(stage, outcome, rate)

    def _validation_due(self, stage: ResolvedStage) -> bool:
        every = max(1, self.recipe.validation.every * stage.steps_per_epoch)
        done = self.position.stage_step
        due = done > 0 and (done % every == 0 or done == stage.steps)
        return due and not stage.head_only and self.position.validated < self.position.step

    def _divided(self, stage: ResolvedStage) -> tuple[nn.Module | None, nn.Module]:
        """What of the network runs only once, on looks at the crops, if anything; and what each step runs through."""
        if stage.looks:
            return halves(self.network, stage.trainable, self.recipe.data.side)
        return None, nn.Identity() if stage.head_only else self.network

    @property
    def _features(self) -> Path:
        """Where the stage's looks at crops are kept: gigabytes, so that they go when it is over."""
        return self.folder / f"features-{self.position.stage}.f16"

    def _batches(self, stage: ResolvedStage) -> Batches | EmbeddedBatches | FeatureBatches:
        """The stage's batches: of crops; of what the frozen parts make of them; or, where only losses learn, of
        embeddings, which takes seconds instead of hours.
        """
        train = self.data.train
        if self.front is not None:
            with self._autocast():
                made = FeatureBatches(
                    self.front,
                    train,
                    self.batches.order,
                    self.batches.augment,
                    stage.looks,
                    self.recipe.seed,
                    self._features,
                )
            train_mode(self.network)
            return made
        if not stage.head_only:
            return self.batches
        with self._autocast():
            embeddings = embed_crops(self.network, train, unit_length=False)
        return EmbeddedBatches(embeddings, train.labels, self.batches.order, self.batches.share)

    def _autocast(self) -> torch.autocast:
        """The precision of the network; not Accelerate's, which a process can't change from run to run."""
        half = self.recipe.training.precision == "bf16"
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=half)

    def _step(self, stage: ResolvedStage, batch: Batch, rate: float) -> Outcome:
        for group, highest in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = highest * rate
        device = self.accelerator.device
        targets = self.data.train.targets
        with self._autocast():
            outcome: Outcome = self.prepared(
                batch.pictures.to(device),
                batch.labels.to(device),
                None if targets is None else torch.from_numpy(targets[batch.rows]).to(device),
                self.position.stage_step,
            )
        self._need_number(batch, outcome)
        self.optimizer.zero_grad()
        self.accelerator.backward(outcome.total)
        if stage.optimizer.clip:
            self.accelerator.clip_grad_norm_(self.prepared.parameters(), stage.optimizer.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return outcome

    def _need_number(self, batch: Batch, outcome: Outcome) -> None:
        # Some losses on pairs come to a number where an embedding is none.
        if not (torch.isfinite(outcome.total) and torch.isfinite(outcome.embeddings).all()):
            photos = ", ".join(self.data.train.photos[row] for row in batch.rows[:3])
            raise TrainingError(
                f"The loss is {float(outcome.total.detach())}, or an embedding no number, at step {self.position.step} "
                f"(crops of {photos}, … in the batch; losses "
                f"{', '.join(f'{name} {float(value):.3g}' for name, value in outcome.parts.items())}).",
                hint="Lower optimizer.learning_rate, or lengthen schedule.warm_up; the last checkpoint is kept.",
                code="training.not-finite",
            )

    def _write_step(self, stage: ResolvedStage, outcome: Outcome, rate: float) -> None:
        position = self.position
        assert self.objective is not None
        cosine = mean_stranger_cosine(outcome.embeddings, outcome.labels)
        position.length = float(outcome.embeddings.norm(dim=1).mean())
        names = dict.fromkeys(name for stage in self.stages for name in loss_names(stage.losses))
        self._write(
            STEPS,
            {
                "step": position.step,
                "stage": stage.name,
                "epoch": round(position.stage_step / stage.steps_per_epoch, 3),
                "loss": position.loss,
                **{f"loss {name}": float(outcome.parts[name]) if name in outcome.parts else "" for name in names},
                "rate": rate * self.rates[0],
                "stranger_cosine": cosine,
                "length": position.length,
                "accuracy": "",
                **self.watch.see(self.objective.head, outcome.embeddings, outcome.labels),
                "crops_per_second": position.step * self.recipe.training.batch_size / position.seconds,
            },
        )
        if position.stage_step % LOG_EVERY == 0:
            position.collapsed = position.collapsed + 1 if cosine > self.recipe.training.collapse else 0
        if position.collapsed >= COLLAPSED_ROWS:
            raise TrainingError(
                f"The embeddings have collapsed: strangers of a batch have had a mean cosine above "
                f"{self.recipe.training.collapse} for {COLLAPSED_ROWS * LOG_EVERY} steps (now {cosine:.3f}).",
                hint="Lower the rate, use semi-hard instead of hard mining, a smaller margin, or begin with softmax.",
                code="training.collapsed",
            )

    def _write_curve(self, stage: ResolvedStage) -> None:
        """What the stage's loss asks for at each angle, as it is at the stage's end."""
        assert self.objective is not None
        if self.objective.head is not None:
            for point in target_logits(self.objective.head, self.position.length):
                self._write(CURVES, {"step": self.position.step, "stage": stage.name, **point})

    def _write(self, table: str, row: dict[str, Any]) -> None:
        if self.log is not None:
            self.log.add(table, row)

    def _gets_no_better(self, stage: ResolvedStage) -> bool:
        """Validate where that is due; whether the stage has got no better for as long as the recipe allows."""
        if self._validation_due(stage):
            self._validate_for_all(stage)
        patience = self.recipe.training.patience
        return patience is not None and self.position.stale >= patience

    def _validate_for_all(self, stage: ResolvedStage) -> None:
        """Validate in one process: norms keep their running means by process, so that the others' would differ."""
        if self.accelerator.is_main_process:
            self._validate(stage)
        (judged,) = broadcast_object_list([vars(self.position).copy()])
        vars(self.position).update(judged)

    def _validate(self, stage: ResolvedStage) -> None:
        with self._autocast():
            strangers = compare_strangers(self.judged_network, self.data.validation, seed=self.recipe.seed)
        measures = verification_measures(strangers, resamples=RESAMPLES, seed=self.recipe.seed)
        with interruptions_later():
            self._judge(stage, strangers, measures)

    def _judge(self, stage: ResolvedStage, strangers: Comparisons, measures: VerificationMeasures) -> None:
        """Keep the network if it is the best one yet, and write down how good it is."""
        position, fmr = self.position, self.recipe.validation.fmr
        score, row = _score(measures, fmr)
        if score > position.best:
            position.best, position.best_step, position.stale = score, position.step, 0
            weights = deepcopy(self.judged_network).state_dict()
            save_checkpoint({"network": weights, "step": position.step}, self.folder / BEST)
        else:
            position.stale += 1
        self._write(
            VALIDATIONS,
            {"step": position.step, "stage": stage.name, "loss": position.loss, **row, **_cosines(strangers)},
        )
        for angles in self.watch.rows(position.step):
            self._write(ANGLES, angles)
        self.watch.begin()
        position.validated = position.step
        rate = "" if math.isnan(row["tmr"]) else f", TMR at FMR {fmr} {100 * row['tmr']:.1f} %"
        self.tell(
            f"{stage.name}, epoch {position.stage_step / stage.steps_per_epoch:.3g}: loss {position.loss:.4g}, "
            f"AUC {row['auc']:.4f}{rate}"
        )

    def _out_of_time(self, deadline: float | None) -> bool:
        """Whether to stop here; processes ask the first one now and then, so that all stop at the same step."""
        if deadline is None or (self.accelerator.num_processes > 1 and self.position.step % LOG_EVERY):
            return False
        (over,) = broadcast_object_list([time.monotonic() > deadline])
        return bool(over)


def averaged(network: nn.Module, decay: float) -> AveragedModel:
    """A copy of a network that follows it as an exponential moving average of its weights and norms.

    After n steps the decay is (1 + n) / (10 + n) at most, so that the untrained weights are soon forgotten.
    """

    def follow(averages: Any, current: Any, steps: Tensor | int) -> None:
        get_ema_multi_avg_fn(min(decay, (1 + int(steps)) / (10 + int(steps))))(averages, current, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(network, multi_avg_fn=follow, use_buffers=True)


def _score(measures: VerificationMeasures, fmr: str) -> tuple[float, dict[str, Any]]:
    """What is compared between validations, and a row of the log; where the FMR isn't supported, the AUC counts."""
    tmr, auc, eer = measures.tar_at_far[fmr], measures.auc, measures.eer
    row = {
        "auc": auc.value if isinstance(auc, Estimate) else float("nan"),
        "eer": eer.value if isinstance(eer, Estimate) else float("nan"),
        "tmr": tmr.value if isinstance(tmr, Estimate) else float("nan"),
        "tmr_low": tmr.low if isinstance(tmr, Estimate) else float("nan"),
        "tmr_high": tmr.high if isinstance(tmr, Estimate) else float("nan"),
    }
    return (row["tmr"] if isinstance(tmr, Estimate) else row["auc"]), row


def _cosines(strangers: Comparisons) -> dict[str, float]:
    """The 10, 50 and 90 % quantiles of the cosines of each kind of pair."""
    return {
        f"{kind}_cosine_{percent}": float(np.percentile(strangers.similarity[strangers.mated == mated], percent))
        for kind, mated in (("mated", True), ("non_mated", False))
        for percent in (10, 50, 90)
    }
