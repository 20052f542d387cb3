"""Match: which records are about the same customer or product, and under which golden id.

    refined ─▶ features ─▶ blocking keys ─▶ candidate pairs ─▶ weights ─▶ clusters ─▶ golden ids
               (features)  (features)       (pairs)            (pairs)    (clusters)  (ids)
                                                               │
                                                               └─ between the thresholds: the steward queue

Weights are log2 Bayes factors added up over comparisons (Fellegi–Sunter); the tables are in `weights`. Two thresholds:
from `same` up a pair is the same, below `unsure` it is not, between them a person is asked. Judgements always win. A
pair's weight depends on the two records and on how many records share their phone, never on when it was computed.

All of it takes Arrow tables and plain values and gives the same back.
"""

from omnihub.match.clusters import Judged, clusters
from omnihub.match.features import features
from omnihub.match.ids import Assigned, Golden, assign
from omnihub.match.pairs import score_all_within, score_candidates
from omnihub.match.weights import THRESHOLDS, Thresholds

__all__ = [
    "THRESHOLDS",
    "Assigned",
    "Golden",
    "Judged",
    "Thresholds",
    "assign",
    "clusters",
    "features",
    "score_all_within",
    "score_candidates",
]
