"""Replicas, personas and conversations. Other packages call services and selectors, never these."""

from rendering.models.conversations import Conversation, LiveState, Recording
from rendering.models.levels import LatencyReport, ServiceTargets
from rendering.models.measured import AnswerTime, Visit
from rendering.models.personas import Persona
from rendering.models.replicas import Artefact, Footage, FootagePiece, Replica, ReplicaVersion
from rendering.models.stops import KillSwitch, Suspension
from rendering.models.training import TrainingStep

__all__ = [
    "AnswerTime", "Artefact", "Conversation", "Footage", "FootagePiece", "KillSwitch", "LatencyReport", "LiveState",
    "Persona", "Recording", "Replica", "ReplicaVersion", "ServiceTargets", "Suspension", "TrainingStep", "Visit",
]
