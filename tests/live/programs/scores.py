"""Quality of predictions, by the names that the registry and the exporter publish."""

from sklearn import metrics


def of_classifier(target, predicted, probability):
    """Needs both classes in `target`; returns nothing else."""
    if len(set(target)) < 2:
        return {}
    return {
        "accuracy": metrics.accuracy_score(target, predicted),
        "sensitivity": metrics.recall_score(target, predicted, zero_division=0),
        "specificity": metrics.recall_score(target, predicted, pos_label=0, zero_division=0),
        "precision": metrics.precision_score(target, predicted, zero_division=0),
        "f1": metrics.f1_score(target, predicted, zero_division=0),
        "auc_roc": metrics.roc_auc_score(target, probability),
    }


def of_regressor(target, predicted):
    if len(target) < 2:
        return {}
    mse = metrics.mean_squared_error(target, predicted)
    return {
        "r2": metrics.r2_score(target, predicted),
        "mae": metrics.mean_absolute_error(target, predicted),
        "mse": mse,
        "rmse": mse**0.5,
    }
