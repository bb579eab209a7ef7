"""Models of scikit-learn as skl2onnx writes them: python onnx_sklearn.py

Needs requirements-sklearn.txt. Writes onnx/sklearn.json.gz: each model in base64, the rows that
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
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common import _container as container
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

# skl2onnx 1.20 writes the base values of histogram models as a matrix and flags as booleans, which onnx refuses.
make_node = container.ModelComponentContainer.add_node


def add_node(self, op_type, inputs, outputs, **attributes):
    base = attributes.get('base_values')
    if base is not None:
        attributes['base_values'] = [float(each) for each in np.ravel(base)]
    missing = attributes.get('nodes_missing_value_tracks_true')
    if missing is not None:
        attributes['nodes_missing_value_tracks_true'] = [int(each) for each in missing]
    return make_node(self, op_type, inputs, outputs, **attributes)


container.ModelComponentContainer.add_node = add_node
ROWS = int(os.environ.get('ROWS', '12'))
SAMPLES = max(60, ROWS)
FOLDER = pathlib.Path(os.environ.get('FOLDER', pathlib.Path(__file__).parent / 'onnx'))

random = np.random.default_rng(0)
X = random.normal(size=(SAMPLES, 4)).astype(np.float32)
NOISE = random.normal(size=SAMPLES) * 0.3
SCORE = X[:, 0] - 0.7 * X[:, 1] + X[:, 2] * X[:, 3] + NOISE
TWO = (SCORE > 0).astype(np.int64)
THREE = np.digitize(SCORE, [-0.8, 0.8]).astype(np.int64)
WORDS = np.array(['no', 'maybe', 'yes'])[THREE]
PAIR = np.array(['ham', 'spam'])[TWO]
HOLES = np.where(random.random(X.shape) < 0.1, np.nan, X).astype(np.float32)
COLOURS = np.array(['red', 'green', 'blue'])[random.integers(0, 3, SAMPLES)].reshape(-1, 1)
SIZES = random.integers(1, 5, SAMPLES).astype(np.int64).reshape(-1, 1)
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

ROW = [[0.5, -1.0], [1.0, 0.0], [-0.25, 2.0], [np.nan, 1.0], [0.0, np.nan], [3.0, 0.5]]
PLAIN = [[0.5, -1.0], [1.0, 0.0], [-0.25, 2.0], [0.0, 0.0], [3.0, 0.5]]
TRANSFORMS = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO']


def tree(modes, values, missing=None, **more):
    """Two trees with a root and two leaves each; features 0 and 1."""
    return {
        'nodes_treeids': [0, 0, 0, 1, 1, 1],
        'nodes_nodeids': [0, 1, 2, 0, 1, 2],
        'nodes_featureids': [0, 0, 0, 1, 0, 0],
        'nodes_modes': [modes[0], 'LEAF', 'LEAF', modes[1], 'LEAF', 'LEAF'],
        'nodes_values': [values[0], 0.0, 0.0, values[1], 0.0, 0.0],
        'nodes_truenodeids': [1, 0, 0, 1, 0, 0],
        'nodes_falsenodeids': [2, 0, 0, 2, 0, 0],
        **({} if missing is None else {'nodes_missing_value_tracks_true': [missing[0], 0, 0, missing[1], 0, 0]}),
        **more,
    }


def leaves(prefix, outputs, weights):
    return {
        f'{prefix}_treeids': [0, 0, 1, 1],
        f'{prefix}_nodeids': [1, 2, 1, 2],
        f'{prefix}_ids': outputs,
        f'{prefix}_weights': weights,
    }


LEQ = ['BRANCH_LEQ', 'BRANCH_LEQ']
SUPPORTS = [0.0, 1.0, 1.0, 0.0, -1.0, 0.5, 2.0, 2.0]


def single_nodes():
    """name: (operator, attributes, inputs, kinds of outputs, version of ai.onnx.ml)"""
    found = {}
    for mode in ['LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ']:
        for missing in [None, [1, 1]]:
            attributes = tree([f'BRANCH_{mode}'] * 2, [0.5, 0.0], missing, **leaves('target', [0, 0, 0, 0], [1.0, 2.0, 10.0, 20.0]), n_targets=1)
            found[f'tree {mode} {missing}'] = ('TreeEnsembleRegressor', attributes, [ROW], [1], 3)
    mixed = tree(['BRANCH_GT', 'BRANCH_LEQ'], [0.0, 0.5], [0, 1], **leaves('target', [0, 0, 1, 1], [1.0, 2.0, 10.0, 20.0]))
    for aggregate in ['SUM', 'AVERAGE', 'MIN', 'MAX']:
        for base in [None, [0.5, -0.25]]:
            more = {'aggregate_function': aggregate, 'n_targets': 2, **({} if base is None else {'base_values': base})}
            found[f'forest {aggregate} {base}'] = ('TreeEnsembleRegressor', {**mixed, **more}, [ROW], [1], 3)
    for transform in TRANSFORMS:
        for kind, ids, weights in [
            ('one', [0, 0, 0, 0], [-1.0, 0.5, 0.25, -2.0]),
            ('second', [1, 1, 1, 1], [-1.0, 0.5, 0.25, -2.0]),
            ('positive', [0, 0, 0, 0], [0.1, 0.4, 0.3, 0.6]),
            ('positive second', [1, 1, 1, 1], [0.1, 0.4, 0.3, 0.6]),
        ]:
            # ONNX Runtime forgets the scores of the second class if there are two base values.
            for base in [None, [0.3], *([] if 'second' in kind else [[0.1, 0.2]])]:
                more = {'classlabels_int64s': [7, 9], 'post_transform': transform, **({} if base is None else {'base_values': base})}
                attributes = tree(LEQ, [0.5, 0.0], **leaves('class', ids, weights), **more)
                found[f'classifier {transform} {kind} {base}'] = ('TreeEnsembleClassifier', attributes, [PLAIN], [7, 1], 3)
        three = tree(LEQ, [0.5, 0.0], **leaves('class', [0, 1, 2, 1], [0.2, 0.7, 0.4, 0.0]))
        more = {'classlabels_strings': ['a', 'b', 'c'], 'post_transform': transform}
        found[f'classifier {transform} three'] = ('TreeEnsembleClassifier', {**three, **more}, [PLAIN], [8, 1], 3)
        found[f'linear classifier {transform} one'] = (
            'LinearClassifier',
            {'coefficients': [1.0, -0.5], 'intercepts': [0.1], 'classlabels_ints': [4, 5], 'post_transform': transform},
            [PLAIN],
            [7, 1],
            1,
        )
        found[f'linear classifier {transform} three'] = (
            'LinearClassifier',
            {
                'coefficients': [1.0, -0.5, 0.5, 1.0, -1.0, 0.0],
                'intercepts': [0.1, 0.0, 0.0],
                'classlabels_strings': ['x', 'y', 'z'],
                'post_transform': transform,
            },
            [PLAIN],
            [8, 1],
            1,
        )
        found[f'linear regressor {transform}'] = (
            'LinearRegressor',
            {'coefficients': [1.0, -0.5, 0.5, 1.0], 'intercepts': [0.1, 0.0], 'targets': 2, 'post_transform': transform},
            [PLAIN],
            [1],
            1,
        )
        for kernel, parameters in [('LINEAR', [0.0, 0.0, 0.0]), ('POLY', [0.5, 1.0, 3.0]), ('RBF', [0.7, 0.0, 0.0]), ('SIGMOID', [0.3, 0.1, 0.0])]:
            own = {'kernel_type': kernel, 'kernel_params': parameters, 'post_transform': transform, 'support_vectors': SUPPORTS}
            found[f'svm {transform} {kernel} two'] = (
                'SVMClassifier',
                {**own, 'coefficients': [1.0, 0.5, -1.0, -0.5], 'rho': [0.2], 'vectors_per_class': [2, 2], 'classlabels_ints': [3, 8]},
                [PLAIN],
                [7, 1],
                1,
            )
            found[f'svm {transform} {kernel} three'] = (
                'SVMClassifier',
                {
                    **own,
                    'coefficients': [1.0, 0.5, -1.0, -0.5, 0.3, -0.2, 0.1, 0.4],
                    'rho': [0.2, -0.1, 0.05],
                    'vectors_per_class': [2, 1, 1],
                    'classlabels_strings': ['p', 'q', 'r'],
                },
                [PLAIN],
                [8, 1],
                1,
            )
        found[f'svm {transform} linear mode'] = (
            'SVMClassifier',
            {'coefficients': [1.0, 0.5, -1.0, -0.5, 0.2, 0.1], 'rho': [0.2], 'classlabels_ints': [1, 2, 3], 'post_transform': transform,
             'kernel_type': 'LINEAR', 'kernel_params': [0.0, 0.0, 0.0]},
            [PLAIN],
            [7, 1],
            1,
        )
    for count in (0, 4):
        own = {'n_supports': count, **({'support_vectors': SUPPORTS} if count else {}), 'kernel_type': 'RBF' if count else 'LINEAR',
               'kernel_params': [0.7, 0.0, 0.0], 'coefficients': [1.0, 0.5, -1.0, -0.5][: count or 2], 'rho': [0.2]}
        found[f'svm regressor {count}'] = ('SVMRegressor', own, [PLAIN], [1], 1)
        found[f'svm regressor one class {count}'] = ('SVMRegressor', {**own, 'one_class': 1}, [PLAIN], [1], 1)
    for norm in ['MAX', 'L1', 'L2']:
        found[f'normalizer {norm}'] = ('Normalizer', {'norm': norm}, [[*PLAIN, [-2.0, -3.0]]], [1], 1)
    found['scaler'] = ('Scaler', {'offset': [1.0, 2.0], 'scale': [0.5, 3.0]}, [PLAIN], [1], 1)
    found['imputer NaN'] = ('Imputer', {'imputed_value_floats': [7.0, 8.0], 'replaced_value_float': float('nan')}, [ROW], [1], 1)
    found['imputer number'] = ('Imputer', {'imputed_value_floats': [7.0], 'replaced_value_float': 0.5}, [ROW], [1], 1)
    found['imputer integers'] = ('Imputer', {'imputed_value_int64s': [7, 8], 'replaced_value_int64': -1}, [np.array([[1, -1], [-1, 3]])], [7], 1)
    found['binarizer'] = ('Binarizer', {'threshold': 0.5}, [PLAIN], [1], 1)
    found['feature vectorizer'] = ('FeatureVectorizer', {'inputdimensions': [2, 2]}, [PLAIN, PLAIN], [1], 1)
    words = np.array(['red', 'blue', 'pink', 'green'])
    found['one-hot strings'] = ('OneHotEncoder', {'cats_strings': ['red', 'green', 'blue'], 'zeros': 1}, [words.reshape(2, 2)], [1], 1)
    found['one-hot integers'] = ('OneHotEncoder', {'cats_int64s': [3, 1], 'zeros': 1}, [np.array([[1, 2], [3, 4]])], [1], 1)
    found['one-hot floats'] = ('OneHotEncoder', {'cats_int64s': [3, 1], 'zeros': 1}, [[[1.0, 2.0], [3.0, 1.5]]], [1], 1)
    found['label strings to integers'] = (
        'LabelEncoder', {'keys_strings': ['red', 'blue'], 'values_int64s': [5, -3], 'default_int64': 9}, [words], [7], 2)
    found['label strings to floats'] = ('LabelEncoder', {'keys_strings': ['red', 'blue'], 'values_floats': [0.5, -3.5]}, [words], [1], 2)
    found['label strings to strings'] = (
        'LabelEncoder', {'keys_strings': ['red', 'blue'], 'values_strings': ['rot', 'blau'], 'default_string': '?'}, [words], [8], 2)
    found['label integers to strings'] = (
        'LabelEncoder', {'keys_int64s': [4, -1, 2], 'values_strings': ['four', 'less', 'two']}, [np.array([2, 4, 3, -1])], [8], 2)
    found['label floats to floats'] = (
        'LabelEncoder', {'keys_floats': [1.5, 0.25, -2.0], 'values_floats': [1.0, 2.0, 3.0], 'default_float': -1.0},
        [np.array([1.5, np.nan, -2.0, 0.0])], [1], 2)
    found['category mapper'] = ('CategoryMapper', {'cats_strings': ['red', 'blue'], 'cats_int64s': [2, 5]}, [words], [7], 1)
    found['category mapper back'] = ('CategoryMapper', {'cats_strings': ['red', 'blue'], 'cats_int64s': [2, 5], 'default_string': 'other'},
                                     [np.array([5, 2, 3])], [8], 1)
    found['extractor'] = ('ArrayFeatureExtractor', {}, [PLAIN, np.array([1, 0, 1])], [1], 1)
    number = lambda name, values, kind=np.float32: numpy_helper.from_array(np.array(values, kind), name)
    for aggregate in range(4):
        # ONNX Runtime takes 1 for LOGISTIC and 2 for SOFTMAX, the standard the reverse.
        for transform in (0, 3):
            found[f'ensemble {aggregate} {transform}'] = (
                'TreeEnsemble',
                {
                    'n_targets': 2, 'aggregate_function': aggregate, 'post_transform': transform, 'tree_roots': [0, 2],
                    'nodes_splits': number('s', [0.5, 0.0, 1.0]), 'nodes_modes': number('m', [0, 3, 5], np.uint8),
                    'nodes_featureids': [0, 1, 0], 'nodes_truenodeids': [1, 0, 3], 'nodes_falsenodeids': [2, 1, 4],
                    'nodes_trueleafs': [0, 1, 1], 'nodes_falseleafs': [1, 1, 1], 'nodes_missing_value_tracks_true': [1, 0, 0],
                    'leaf_targetids': [0, 1, 0, 1, 0], 'leaf_weights': number('w', [1.0, 2.0, 3.0, 4.0, 5.0]),
                },
                [ROW], [1], 5)
    found['ensemble members'] = (
        'TreeEnsemble',
        {
            'n_targets': 1, 'aggregate_function': 1, 'post_transform': 0, 'tree_roots': [0],
            'nodes_splits': number('s', [0.0, 2.0]), 'nodes_modes': number('m', [6, 0], np.uint8),
            'nodes_featureids': [0, 1], 'nodes_truenodeids': [0, 1], 'nodes_falsenodeids': [1, 2],
            'nodes_trueleafs': [1, 1], 'nodes_falseleafs': [0, 1], 'membership_values': number('v', [0.5, 3.0, -7.0, np.nan]),
            'leaf_targetids': [0, 0, 0], 'leaf_weights': number('w', [1.0, 10.0, 100.0]),
        },
        [PLAIN], [1], 5)
    return found


def single(operator, attributes, inputs, kinds, version):
    """A model of one node, and its results."""
    arrays = [np.array(each, np.float32) if np.array(each).dtype.kind == 'f' else np.array(each) for each in inputs]
    names = [f'x{i}' for i in range(len(arrays))]
    types = [{'f': 1, 'i': 7, 'U': 8}[each.dtype.kind] for each in arrays]
    isIndex = operator == 'ArrayFeatureExtractor'
    node = helper.make_node(operator, names, [f'y{i}' for i in range(len(kinds))], domain='ai.onnx.ml', **attributes)
    values = [helper.make_tensor_value_info(n, t, ['batch', *each.shape[1:]]) for n, t, each in zip(names, types, arrays)]
    graph = helper.make_graph(
        [node], 'graph', values[: 1 if isIndex else None],
        [helper.make_tensor_value_info(f'y{i}', kind, None) for i, kind in enumerate(kinds)],
        [numpy_helper.from_array(arrays[1], 'x1')] if isIndex else [])
    file = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid('ai.onnx.ml', version), helper.make_opsetid('', 17)])
    session = onnxruntime.InferenceSession(file.SerializeToString())
    fed = {n: (a.astype(object) if a.dtype.kind == 'U' else a) for n, a in zip(names, arrays)}
    if isIndex:
        del fed['x1']
    results = session.run(None, fed)
    return {
        'model': base64.b64encode(file.SerializeToString()).decode(),
        'operators': [f'ai.onnx.ml.{operator}'],
        'inputs': {n: plain(a) for n, a in zip(names, arrays) if n in fed},
        'outputs': {f'y{i}': plain(each) for i, each in enumerate(results)},
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
    for name, each in single_nodes().items():
        try:
            found[name] = single(*each)
        except Exception as error:
            failed[name] = f'{type(error).__name__}: {str(error)[:200]}'
    for name, why in failed.items():
        print('left out:', name, why)
    FOLDER.mkdir(exist_ok=True)
    with gzip.GzipFile(FOLDER / 'sklearn.json.gz', 'wb', mtime=0) as file:
        file.write(json.dumps(found, separators=(',', ':')).encode())
    print(len(found), 'models', (FOLDER / 'sklearn.json.gz').stat().st_size, 'bytes')


if __name__ == '__main__':
    main()
