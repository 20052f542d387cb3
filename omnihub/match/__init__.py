"""Match: which records are about the same customer or product, and under which golden id.

    refined ─▶ features ─▶ blocking keys ─▶ candidate pairs ─▶ weights ─▶ clusters ─▶ golden ids
               (features)  (features)       (pairs)            (pairs)    (clusters)  (ids)
                                                               │
                                                               └─ between the thresholds: the steward queue

Weights are log2 Bayes factors added up over comparisons (Fellegi–Sunter), computed by Splink's SQL; what is compared,
and how much it says, stands in `contacts`, `accounts` and `products`, or in a trained model. Two thresholds: from
`same` up a pair is the same, below `unsure` it is not, between them a person is asked. Judgements always win. A pair's
weight depends on the two records, on the frozen model and on how many share their identifiers, never on when it was
computed.

All of it takes Arrow tables and plain values and gives the same back.
"""

from omnihub.match.clusters import Judged
from omnihub.match.features import SPECS, default_model, features, frequencies, shared_values
from omnihub.match.identify import Identified, clustered, identify, with_frequencies
from omnihub.match.ids import Assigned, Golden, assign
from omnihub.match.model import Model, Thresholds, model_from
from omnihub.match.pairs import score_all_within, score_candidates
from omnihub.model import Entity

THRESHOLDS: dict[Entity, Thresholds] = {entity: spec.limits for entity, spec in SPECS.items()}

__all__ = [
    "THRESHOLDS",
    "Assigned",
    "Golden",
    "Identified",
    "Judged",
    "Model",
    "Thresholds",
    "assign",
    "clustered",
    "default_model",
    "features",
    "frequencies",
    "identify",
    "model_from",
    "score_all_within",
    "score_candidates",
    "shared_values",
    "with_frequencies",
]
