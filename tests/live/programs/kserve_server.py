"""KServe's Python model server with the classifier: kserve_server.py PORT MODEL."""

import sys
import uuid

import joblib
import numpy
from kserve import InferOutput, InferResponse, Model, ModelServer


class Classifier(Model):
    def __init__(self, name, path):
        super().__init__(name)
        self.model = joblib.load(path)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return {"predictions": self.model.predict(numpy.array(payload["instances"])).tolist()}
        predicted = self.model.predict(payload.inputs[0].as_numpy())
        output = InferOutput("predict", [len(predicted)], "INT64", [int(value) for value in predicted])
        return InferResponse(payload.id or str(uuid.uuid4()), self.name, [output])


if __name__ == "__main__":
    server = ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1)
    server.start([Classifier("breast-cancer", sys.argv[2])])
