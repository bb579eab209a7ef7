"""Models of scikit-learn as skl2onnx writes them: python onnx_sklearn.py

Needs scikit-learn 1.9.1, skl2onnx 1.20.0, onnx 1.23.2 and onnxruntime 1.32.0. Writes onnx/sklearn.json.gz: each model in base64, the rows that
it is given, and the outputs of ONNX Runtime. `ROWS=200 FOLDER=... python onnx_sklearn.py` writes larger ones elsewhere.
"""

import base64
import gzip
import json
import os
import pathlib
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.cluster import KMeans
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    LabelEncoder,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings('ignore')
ROWS = int(os.environ.get('ROWS', '12'))
FOLDER = pathlib.Path(os.environ.get('FOLDER', pathlib.Path(__file__).parent / 'onnx'))

random = np.random.default_rng(0)
X = random.normal(size=(240, 4)).astype(np.float32)
NOISE = random.normal(size=240) * 0.3
SCORE = X[:, 0] - 0.7 * X[:, 1] + X[:, 2] * X[:, 3] + NOISE
TWO = (SCORE > 0).astype(np.int64)
THREE = np.digitize(SCORE, [-0.8, 0.8]).astype(np.int64)
WORDS = np.array(['no', 'maybe', 'yes'])[THREE]
PAIR = np.array(['ham', 'spam'])[TWO]
HOLES = np.where(random.random(X.shape) < 0.1, np.nan, X).astype(np.float32)
COLOURS = np.array(['red', 'green', 'blue'])[random.integers(0, 3, 240)].reshape(-1, 1)
SIZES = random.integers(1, 5, 240).astype(np.int64).reshape(-1, 1)
NUMERIC = [('x', FloatTensorType([None, 4]))]
MIXED = [
    ('a', FloatTensorType([None, 1])),
    ('b', FloatTensorType([None, 1])),
    ('colour', StringTensorType([None, 1])),
    ('size', Int64TensorType([None, 1])),
]


def numeric(model, y=None, x=X, **options):
    return model.fit(x, y), NUMERIC, {'x': x}, options


def mixed(model, y=None):
    columns = {'a': HOLES[:, :1], 'b': X[:, 1:2], 'colour': COLOURS, 'size': SIZES}
    table = np.concatenate([each.astype(object) for each in columns.values()], 1)
    return (model.fit(table, y) if y is not None else model.fit(table)), MIXED, columns, {}


def one(model, kind, x, name='x'):
    return model.fit(x), [(name, kind([None, x.shape[1]]))], {name: x}, {}


def columns():
    return ColumnTransformer(
        [
            ('numbers', make_pipeline(SimpleImputer(strategy='median'), StandardScaler()), [0, 1]),
            ('colours', OneHotEncoder(handle_unknown='ignore'), [2]),
            ('sizes', OneHotEncoder(), [3]),
        ]
    )


def raw(model):
    return {'options': {id(model): {'raw_scores': True}}}


def apart(model):
    return {'options': {id(model): {'zipmap': False}}}


small = {'n_estimators': 5, 'random_state': 0}
MODELS = {
    'LinearRegression': lambda: numeric(LinearRegression(), SCORE),
    'LinearRegression-two-targets': lambda: numeric(LinearRegression(), np.stack([SCORE, X[:, 0]], 1)),
    'Ridge': lambda: numeric(Ridge(), SCORE),
    'Lasso': lambda: numeric(Lasso(0.1), SCORE),
    'ElasticNet': lambda: numeric(ElasticNet(0.1), SCORE),
    'LogisticRegression-binary': lambda: numeric(LogisticRegression(), TWO),
    'LogisticRegression-three': lambda: numeric(LogisticRegression(), THREE),
    'LogisticRegression-words': lambda: numeric(LogisticRegression(), WORDS),
    'LogisticRegression-raw': lambda: (lambda m: numeric(m, TWO, **raw(m)))(LogisticRegression()),
    'LogisticRegression-no-zipmap': lambda: (lambda m: numeric(m, THREE, **apart(m)))(LogisticRegression()),
    'LogisticRegression-ovr': lambda: numeric(OneVsRestClassifier(LogisticRegression()), THREE),
    'RidgeClassifier': lambda: numeric(RidgeClassifier(), THREE),
    'Perceptron': lambda: numeric(Perceptron(random_state=0), THREE),
    'SGDClassifier': lambda: numeric(SGDClassifier(loss='log_loss', random_state=0), THREE),
    'LinearSVC-binary': lambda: numeric(LinearSVC(), TWO),
    'LinearSVC-three': lambda: numeric(LinearSVC(), THREE),
    'LinearSVR': lambda: numeric(LinearSVR(), SCORE),
    'SVC-rbf-binary': lambda: numeric(SVC(), TWO),
    'SVC-rbf-three': lambda: numeric(SVC(), THREE),
    'SVC-rbf-words': lambda: numeric(SVC(), WORDS),
    'SVC-poly': lambda: numeric(SVC(kernel='poly', coef0=1), THREE),
    'SVC-sigmoid': lambda: numeric(SVC(kernel='sigmoid', gamma=0.1), TWO),
    'SVC-linear': lambda: numeric(SVC(kernel='linear'), THREE),
    'SVC-probability-binary': lambda: numeric(SVC(probability=True, random_state=0), TWO),
    'SVC-probability-three': lambda: numeric(SVC(probability=True, random_state=0), THREE),
    'SVC-probability-poly': lambda: numeric(SVC(kernel='poly', probability=True, random_state=0), PAIR),
    'NuSVC': lambda: numeric(NuSVC(probability=True, random_state=0), THREE),
    'SVR-rbf': lambda: numeric(SVR(), SCORE),
    'SVR-poly': lambda: numeric(SVR(kernel='poly', degree=2), SCORE),
    'SVR-linear': lambda: numeric(SVR(kernel='linear'), SCORE),
    'OneClassSVM': lambda: numeric(OneClassSVM(nu=0.2)),
    'DecisionTreeClassifier': lambda: numeric(DecisionTreeClassifier(max_depth=4), THREE),
    'DecisionTreeClassifier-binary': lambda: numeric(DecisionTreeClassifier(max_depth=4), PAIR),
    'DecisionTreeRegressor': lambda: numeric(DecisionTreeRegressor(max_depth=5), SCORE),
    'DecisionTreeRegressor-two-targets': lambda: numeric(DecisionTreeRegressor(max_depth=3), np.stack([SCORE, X[:, 0]], 1)),
    'RandomForestClassifier': lambda: numeric(RandomForestClassifier(max_depth=5, **small), THREE),
    'RandomForestClassifier-binary': lambda: numeric(RandomForestClassifier(max_depth=5, **small), TWO),
    'RandomForestClassifier-words': lambda: numeric(RandomForestClassifier(max_depth=5, **small), WORDS),
    'RandomForestRegressor': lambda: numeric(RandomForestRegressor(max_depth=5, **small), SCORE),
    'ExtraTreesClassifier': lambda: numeric(ExtraTreesClassifier(max_depth=5, **small), THREE),
    'ExtraTreesRegressor': lambda: numeric(ExtraTreesRegressor(max_depth=5, **small), SCORE),
    'BaggingClassifier': lambda: numeric(BaggingClassifier(DecisionTreeClassifier(max_depth=3), **small), THREE),
    'GradientBoostingClassifier': lambda: numeric(GradientBoostingClassifier(max_depth=2, **small), THREE),
    'GradientBoostingClassifier-binary': lambda: numeric(GradientBoostingClassifier(max_depth=2, **small), TWO),
    'GradientBoostingRegressor': lambda: numeric(GradientBoostingRegressor(max_depth=2, **small), SCORE),
    'HistGradientBoostingClassifier': lambda: numeric(
        HistGradientBoostingClassifier(max_iter=5, max_depth=3), THREE, HOLES
    ),
    'HistGradientBoostingClassifier-binary': lambda: numeric(
        HistGradientBoostingClassifier(max_iter=5, max_depth=3), TWO, HOLES
    ),
    'HistGradientBoostingRegressor': lambda: numeric(
        HistGradientBoostingRegressor(max_iter=5, max_depth=3), SCORE, HOLES
    ),
    'AdaBoostClassifier': lambda: numeric(AdaBoostClassifier(**small), THREE),
    'AdaBoostClassifier-binary': lambda: numeric(AdaBoostClassifier(**small), TWO),
    'AdaBoostRegressor': lambda: numeric(AdaBoostRegressor(**small), SCORE),
    'IsolationForest': lambda: numeric(IsolationForest(max_samples=20, **small)),
    'VotingClassifier': lambda: numeric(
        VotingClassifier([('a', LogisticRegression()), ('b', DecisionTreeClassifier(max_depth=3))], voting='soft', flatten_transform=False), THREE
    ),
    'VotingRegressor': lambda: numeric(VotingRegressor([('a', Ridge()), ('b', DecisionTreeRegressor(max_depth=3))]), SCORE),
    'StackingClassifier': lambda: numeric(
        StackingClassifier([('a', LogisticRegression()), ('b', DecisionTreeClassifier(max_depth=3))]), THREE
    ),
    'KNeighborsClassifier': lambda: numeric(KNeighborsClassifier(3), THREE),
    'KNeighborsClassifier-words': lambda: numeric(KNeighborsClassifier(3), WORDS),
    'KNeighborsRegressor': lambda: numeric(KNeighborsRegressor(3), SCORE),
    'GaussianNB': lambda: numeric(GaussianNB(), THREE),
    'GaussianNB-words': lambda: numeric(GaussianNB(), WORDS),
    'BernoulliNB': lambda: numeric(BernoulliNB(), TWO),
    'MultinomialNB': lambda: numeric(MultinomialNB(), THREE, np.abs(X)),
    'MLPClassifier': lambda: numeric(MLPClassifier(hidden_layer_sizes=(5,), max_iter=50, random_state=0), THREE),
    'MLPClassifier-binary': lambda: numeric(MLPClassifier(hidden_layer_sizes=(5,), max_iter=50, random_state=0), PAIR),
    'MLPRegressor': lambda: numeric(MLPRegressor(hidden_layer_sizes=(5,), max_iter=50, random_state=0), SCORE),
    'KMeans': lambda: numeric(KMeans(3, n_init=1, random_state=0)),
    'StandardScaler': lambda: numeric(StandardScaler()),
    'MinMaxScaler': lambda: numeric(MinMaxScaler()),
    'MinMaxScaler-clip': lambda: numeric(MinMaxScaler(clip=True)),
    'MaxAbsScaler': lambda: numeric(MaxAbsScaler()),
    'RobustScaler': lambda: numeric(RobustScaler()),
    'Normalizer-l1': lambda: numeric(Normalizer('l1')),
    'Normalizer-l2': lambda: numeric(Normalizer('l2')),
    'Normalizer-max': lambda: numeric(Normalizer('max')),
    'Binarizer': lambda: numeric(Binarizer(threshold=0.2)),
    'KBinsDiscretizer': lambda: numeric(KBinsDiscretizer(3, encode='ordinal')),
    'KBinsDiscretizer-onehot': lambda: numeric(KBinsDiscretizer(3, encode='onehot-dense')),
    'PolynomialFeatures': lambda: numeric(PolynomialFeatures(2)),
    'PCA': lambda: numeric(PCA(2)),
    'SelectKBest': lambda: numeric(SelectKBest(k=2), THREE),
    'SimpleImputer': lambda: numeric(SimpleImputer(), None, HOLES),
    'SimpleImputer-constant': lambda: numeric(SimpleImputer(strategy='constant', fill_value=7), None, HOLES),
    'OneHotEncoder-strings': lambda: one(OneHotEncoder(handle_unknown='ignore'), StringTensorType, COLOURS),
    'OneHotEncoder-integers': lambda: one(OneHotEncoder(), Int64TensorType, np.concatenate([SIZES, SIZES[::-1]], 1)),
    'OneHotEncoder-two-columns': lambda: one(
        OneHotEncoder(), StringTensorType, np.concatenate([COLOURS, WORDS.reshape(-1, 1)], 1)
    ),
    'OrdinalEncoder-strings': lambda: one(
        OrdinalEncoder(), StringTensorType, np.concatenate([COLOURS, WORDS.reshape(-1, 1)], 1)
    ),
    'OrdinalEncoder-integers': lambda: one(OrdinalEncoder(), Int64TensorType, SIZES),
    'LabelEncoder-strings': lambda: (LabelEncoder().fit(WORDS), [('x', StringTensorType([None]))], {'x': WORDS}, {}),
    'Pipeline-LogisticRegression': lambda: numeric(make_pipeline(StandardScaler(), PCA(3), LogisticRegression()), THREE),
    'Pipeline-SVC': lambda: numeric(make_pipeline(MinMaxScaler(), SVC()), THREE),
    'Pipeline-holes': lambda: numeric(make_pipeline(SimpleImputer(), StandardScaler(), Ridge()), SCORE, HOLES),
    'ColumnTransformer': lambda: mixed(columns()),
    'ColumnTransformer-LogisticRegression': lambda: mixed(make_pipeline(columns(), LogisticRegression()), WORDS),
    'ColumnTransformer-RandomForest': lambda: mixed(
        make_pipeline(columns(), RandomForestClassifier(max_depth=4, **small)), PAIR
    ),
    'ColumnTransformer-ordinal': lambda: mixed(
        Pipeline(
            [
                (
                    'columns',
                    ColumnTransformer(
                        [('words', OrdinalEncoder(), [2]), ('rest', SimpleImputer(), [0, 1])]
                    ),
                ),
                ('trees', GradientBoostingRegressor(max_depth=2, **small)),
            ]
        ),
        SCORE,
    ),
}


def plain(x):
    if isinstance(x, list):
        if x and isinstance(x[0], dict):  # a sequence of maps
            return {'keys': [str(k) for k in x[0]], 'values': plain(np.array([list(each.values()) for each in x]))}
        return [plain(each) for each in x]
    x = np.asarray(x)
    if x.dtype.kind in 'OU':
        return {'shape': list(x.shape), 'strings': [str(each) for each in x.ravel()]}
    return {
        'shape': list(x.shape),
        'numbers': [None if np.isnan(each) else float(np.float32(each)) for each in x.astype(np.float64).ravel()],
    }


def main():
    found, failed = {}, {}
    for name, make in MODELS.items():
        try:
            model, kinds, inputs, options = make()
            file = to_onnx(model, initial_types=kinds, target_opset={'': int(os.environ.get('OPSET', '17')), 'ai.onnx.ml': 3}, **options)
        except Exception as error:
            failed[name] = f'{type(error).__name__}: {str(error)[:120]}'
            continue
        for each in [*file.graph.node, file.graph]:
            each.ClearField('doc_string')
        session = onnxruntime.InferenceSession(file.SerializeToString())
        rows = {key: each[:ROWS] for key, each in inputs.items()}
        needed = {each.name for each in session.get_inputs()}
        fed = {k: (v.astype(object) if v.dtype.kind == 'U' else v) for k, v in rows.items() if k in needed}
        names = [each.name for each in session.get_outputs()]
        results = session.run(None, fed)
        found[name] = {
            'model': base64.b64encode(file.SerializeToString()).decode(),
            'operators': sorted({f'{n.domain}.{n.op_type}' if n.domain else n.op_type for n in file.graph.node}),
            'inputs': {k: plain(v) for k, v in rows.items() if k in needed},
            'outputs': {k: plain(v) for k, v in zip(names, results)},
        }
    for name, why in failed.items():
        print('skl2onnx refuses', name, why)
    FOLDER.mkdir(exist_ok=True)
    with gzip.GzipFile(FOLDER / 'sklearn.json.gz', 'wb', mtime=0) as file:
        file.write(json.dumps(found, separators=(',', ':')).encode())
    print(len(found), 'models', (FOLDER / 'sklearn.json.gz').stat().st_size, 'bytes')


if __name__ == '__main__':
    main()
