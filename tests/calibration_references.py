"""What scikit-learn and SciPy compute from fixed predictions: temperatures, operating points and the mean of networks.

    calibration_references.py > fixtures/calibration_references.json

Needs numpy, scipy and scikit-learn. The predictions are random but for their seed, and part of the output.
"""

import json

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, log_loss, roc_curve
from sklearn.metrics import precision_score, recall_score

CLASSES = [0, 1, 2, 3]
SENSITIVITIES = [0.5, 0.8, 0.9, 1.0]


def predictions(random, count, confidence):
    """Labels and probabilities of networks that are more confident than they are correct."""
    labels = np.concatenate([CLASSES, random.integers(0, 4, count - 4)])
    logits = random.normal(size=(count, 4)) + 1.5 * np.eye(4)[labels]
    logits += 0.4 * np.eye(4)[np.minimum(labels + 1, 3)]
    return labels, softmax(logits * confidence, axis=1)


def brier(labels, probabilities):
    return float(((probabilities - np.eye(4)[labels]) ** 2).sum(axis=1).mean())


def expected_calibration_error(labels, probabilities):
    top = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, 16)
    error = 0.0
    for low, high in zip(edges, edges[1:]):
        inside = (top > low) & (top <= high)
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - top[inside].mean())
    return float(error)


def scores(labels, probabilities):
    ours = brier(labels, probabilities)
    try:
        theirs = brier_score_loss(labels, probabilities, labels=CLASSES, scale_by_half=False)
        assert abs(ours - theirs) < 1e-12
    except TypeError:
        pass  # Before scikit-learn 1.7 it was for two classes only.
    return {
        "log_loss": float(log_loss(labels, probabilities, labels=CLASSES)),
        "brier_multiclass": ours,
        "ece15": expected_calibration_error(labels, probabilities),
        "accuracy": float(accuracy_score(labels, probabilities.argmax(axis=1))),
    }


def temperature(labels, probabilities):
    logits = np.log(probabilities)
    loss = lambda t: -log_softmax(logits / t, axis=1)[np.arange(len(labels)), labels].mean()
    return float(minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-12}).x)


def decisions(labels, probabilities, threshold):
    dense, called = labels >= 2, probabilities[:, 2] + probabilities[:, 3] >= threshold
    return {
        "confusion": confusion_matrix(dense, called, labels=[False, True]).tolist(),
        "sensitivity": float(recall_score(dense, called)),
        "specificity": float(recall_score(dense, called, pos_label=False)),
        "ppv": float(precision_score(dense, called)),
        "npv": float(precision_score(dense, called, pos_label=False)),
    }


def operating_point(wanted, validation, test):
    labels, probabilities = validation
    rates = roc_curve(labels >= 2, probabilities[:, 2] + probabilities[:, 3], drop_intermediate=False)
    threshold = float(rates[2][np.argmax(rates[1] >= wanted)])
    return {
        "wanted": wanted,
        "threshold": threshold,
        "validation": decisions(*validation, threshold),
        "test": decisions(*test, threshold),
    }


def main():
    random = np.random.default_rng(20261201)
    validation, test = predictions(random, 60, 1.8), predictions(random, 80, 1.8)
    fitted = temperature(*validation)
    scaled = lambda part: (part[0], softmax(np.log(part[1]) / fitted, axis=1))
    # Three networks that predict the test cases.
    members = [softmax(np.log(test[1]) + random.normal(size=test[1].shape), axis=1) for _ in range(3)]
    labelled = lambda part: {"labels": part[0].tolist(), "probabilities": part[1].tolist()}
    points = [operating_point(wanted, validation, test) for wanted in SENSITIVITIES]
    calibrated = [operating_point(wanted, scaled(validation), scaled(test)) for wanted in SENSITIVITIES]
    document = {
        "validation": labelled(validation),
        "test": labelled(test),
        "temperature": fitted,
        "scores": {
            "validation": {"before": scores(*validation), "after": scores(*scaled(validation))},
            "test": {"before": scores(*test), "after": scores(*scaled(test))},
        },
        "operating_points": points,
        "calibrated_operating_points": calibrated,
        "ensemble": {
            "members": [member.tolist() for member in members],
            "scores": scores(test[0], np.mean(members, axis=0)),
        },
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
