"""scikit-learn on a table of bench/tables.mjs, with the same folds: a linear model and gradient boosting."""

import json
import sys

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

with open(sys.argv[1]) as file:
    table = json.load(file)
frame = pd.DataFrame(table["rows"])
y = frame.pop(table["target"]).to_numpy()
frame = frame.drop(columns=[name for name in ["id"] if name in frame])
for name in frame:
    if name == "sold":
        # Dates in parts, as tableModel encodes them.
        days = (pd.to_datetime(frame.pop(name)) - pd.Timestamp("1970-01-01")).dt.days
        for turns, part in [(365.2425, "year"), (7, "week")]:
            frame[f"sin {part}"] = np.sin(2 * np.pi * days / turns)
            frame[f"cos {part}"] = np.cos(2 * np.pi * days / turns)
        frame["years"] = days / 365.2425
numbers = [name for name in frame if frame[name].dtype != object and not isinstance(frame[name].dtype, pd.StringDtype)]
names = [name for name in frame if name not in numbers]
frame[numbers] = frame[numbers].astype(float)
frame[names] = frame[names].fillna("missing").astype(object)


def linear():
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore"), names),
    )
    return make_pipeline(encoder, LogisticRegression(max_iter=2000) if table["classes"] else LinearRegression())


def boosted():
    unknown = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    encoder = make_column_transformer(("passthrough", numbers), (unknown, names))
    kind = HistGradientBoostingClassifier if table["classes"] else HistGradientBoostingRegressor
    return make_pipeline(encoder, kind(random_state=0))


def mean_of(make, folds):
    scores = []
    for test in folds:
        train = np.setdiff1d(np.arange(len(frame)), test)
        model = make().fit(frame.iloc[train], y[train])
        scores.append(model.score(frame.iloc[test], y[test]))
    return float(np.mean(scores))


print(json.dumps({make.__name__: [mean_of(make, folds) for folds in table["folds"]] for make in [linear, boosted]}))
