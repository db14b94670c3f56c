"""Fills the model registry: register.py MODELS, with MLFLOW_TRACKING_URI set.

Every version has a run of its own with its real held-out metrics; versions 3 to 11 are decision trees
of growing depth, so that the registry has more than ten versions.
"""

import os
import sys
import time
import warnings

import joblib
import mlflow
import numpy
from mlflow.entities import Metric
from sklearn.tree import DecisionTreeClassifier

import scores
from workload import CLASSIFIER, REGRESSOR, Workload

warnings.filterwarnings("ignore")

DAYS = 30
DAY_MS = 86_400_000
ROWS_PER_DAY = 80
STRANGE_NAME = "côté \"d'essai\" 心"
EMPTY_NAME = "empty-model"

client = mlflow.MlflowClient()


def evaluate(model, data, rows):
    target, predicted = data.live_target[rows], model.predict(data.live[rows])
    if data.model == CLASSIFIER:
        return scores.of_classifier(target, predicted, model.predict_proba(data.live[rows])[:, 1])
    return scores.of_regressor(target, predicted)


def history(model, data, now_ms):
    """Daily values: each day judged on rows of its own; the last one on all of them."""
    choose = numpy.random.default_rng(7)
    for day in range(DAYS):
        last = day == DAYS - 1
        rows = numpy.arange(len(data.live)) if last else choose.choice(len(data.live), ROWS_PER_DAY, replace=False)
        for key, value in evaluate(model, data, rows).items():
            yield Metric(key, float(value), now_ms - (DAYS - 1 - day) * DAY_MS, day)


def register(model, data, description, params, with_history=True):
    """One run with parameters, metrics and the model, registered as the next version."""
    now_ms = int(time.time() * 1000)
    with mlflow.start_run(run_name=description) as run:
        mlflow.log_params(params)
        if with_history:
            client.log_batch(run.info.run_id, metrics=list(history(model, data, now_ms)))
        else:
            mlflow.log_metrics(evaluate(model, data, numpy.arange(len(data.live))))
        info = mlflow.sklearn.log_model(
            model,
            name="model",
            pip_requirements=["scikit-learn"],
            serialization_format="cloudpickle",
        )
    version = client.create_model_version(
        data.model,
        info.model_uri,
        run.info.run_id,
        description=description,
        tags={"framework": "scikit-learn"},
        model_id=info.model_id,
    )
    return version.version, run.info.run_id


def register_classifier(models):
    data = Workload(CLASSIFIER)
    client.create_registered_model(
        CLASSIFIER, tags={"team": "screening", "task": "classification"}, description="Malignant or benign, 30 features"
    )
    for name, description, kind in (
        ("classifier-v1", "logistic regression", "LogisticRegression"),
        ("classifier-v2", "random forest", "RandomForestClassifier"),
    ):
        model = joblib.load(os.path.join(models, f"{name}.joblib"))
        version, _ = register(model, data, description, {"kind": kind})
        client.set_model_version_tag(CLASSIFIER, version, "validation", "passed")
    for depth in range(1, 10):
        model = DecisionTreeClassifier(max_depth=depth, random_state=7).fit(data.learn, data.learn_target)
        version, run = register(model, data, f"tree of depth {depth}", {"max_depth": depth}, with_history=False)
        if depth == 1:
            client.log_metric(run, "calibration_error", float("nan"))
    client.set_registered_model_alias(CLASSIFIER, "champion", "1")
    client.set_registered_model_alias(CLASSIFIER, "challenger", "2")
    client.transition_model_version_stage(CLASSIFIER, "1", "Production")
    client.transition_model_version_stage(CLASSIFIER, "2", "Staging")


def register_regressor(models):
    data = Workload(REGRESSOR)
    client.create_registered_model(REGRESSOR, tags={"task": "regression"}, description="Progression after one year")
    model = joblib.load(os.path.join(models, "regressor-v1.joblib"))
    register(model, data, "gradient boosting", {"kind": "GradientBoostingRegressor"})
    client.set_registered_model_alias(REGRESSOR, "champion", "1")


def register_strange():
    source = client.get_model_version(CLASSIFIER, "1")
    client.create_registered_model(STRANGE_NAME, tags={"clé": "valeur 値"}, description="A name to stumble over")
    client.create_model_version(
        STRANGE_NAME,
        source.source,
        source.run_id,
        description="même modèle",
        model_id=source.source.removeprefix("models:/"),
    )
    client.set_registered_model_alias(STRANGE_NAME, "champion", "1")
    client.create_registered_model(EMPTY_NAME)


def main(models):
    mlflow.set_experiment("wardroom-live")
    register_classifier(models)
    register_regressor(models)
    register_strange()


main(sys.argv[1])
