"""A BentoML service with the classifier; the model's path is in MODEL."""

import os

import bentoml
import joblib
import numpy


@bentoml.service(name="breast_cancer", workers=1)
class BreastCancer:
    def __init__(self):
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, data: list[list[float]]) -> list[int]:
        return [int(value) for value in self.model.predict(numpy.array(data))]
