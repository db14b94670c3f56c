"""Trains the models and writes them to a folder: train.py FOLDER."""

import os
import sys

import joblib
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workload import CLASSIFIER, REGRESSOR, Workload


def main(folder):
    os.makedirs(folder, exist_ok=True)
    classifier, regressor = Workload(CLASSIFIER), Workload(REGRESSOR)
    models = {
        "classifier-v1": (make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)), classifier),
        "classifier-v2": (RandomForestClassifier(n_estimators=60, random_state=7), classifier),
        "regressor-v1": (GradientBoostingRegressor(n_estimators=40, max_depth=2, random_state=7), regressor),
    }
    for name, (model, data) in models.items():
        model.fit(data.learn, data.learn_target)
        joblib.dump(model, os.path.join(folder, f"{name}.joblib"))


main(sys.argv[1])
