"""The two data sets, split into what the models learn from and what the clients send."""

from sklearn import datasets
from sklearn.model_selection import train_test_split

CLASSIFIER = "breast-cancer"
REGRESSOR = "diabetes-progression"

# Clients send this feature too high by so many standard deviations: one feature has drifted for certain.
SHIFTED_FEATURE = "mean_radius"
SHIFT = 3.0


class Workload:
    def __init__(self, model):
        if model == CLASSIFIER:
            data = datasets.load_breast_cancer()
            # Malignant is the positive class.
            target = 1 - data.target
        else:
            data = datasets.load_diabetes(scaled=False)
            target = data.target
        self.model = model
        self.features = [str(name).replace(" ", "_") for name in data.feature_names]
        self.learn, self.live, self.learn_target, self.live_target = train_test_split(
            data.data, target, test_size=0.5, random_state=7
        )
        # What clients send, and with it the reference of the drift: only the shifted feature can differ.
        self.sent = self.live.copy()
        if SHIFTED_FEATURE in self.features:
            column = self.features.index(SHIFTED_FEATURE)
            self.sent[:, column] += SHIFT * self.live[:, column].std()
