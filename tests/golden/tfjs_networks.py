"""Small graph-models as the converter of TensorFlow.js makes them, with inputs and outputs of TensorFlow.

    pip install -r requirements-tfjs.txt && pip install --no-deps tensorflowjs==4.22.0
    KERAS_BACKEND=tensorflow python tfjs_networks.py

Writes tfjs-graph/NAME/ with model.json and its weights, and tfjs-graph/networks.json.
"""

import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile
import types

import numpy as np

# The converter imports packages for formats that are not used here.
folder = importlib.util.find_spec('tensorflowjs').submodule_search_locations[0]
for name, path in (('tensorflowjs', folder), ('tensorflowjs.converters', f'{folder}/converters')):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
for name in ('tensorflow_decision_forests', 'tensorflow_hub'):
    sys.modules[name] = types.ModuleType(name)
sys.modules['tensorflowjs'].version = types.SimpleNamespace(version='4.22.0')

import keras
import tensorflow as tf
from keras import layers
from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

HERE = pathlib.Path(__file__).parent / 'tfjs-graph'


def images():
    """Convolutions of all kinds, normalization, resizing, two outputs."""
    x = keras.Input((12, 12, 3), name='image')
    y = layers.Conv2D(6, 3, strides=2, padding='same', use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = keras.activations.relu6(y)
    z = layers.DepthwiseConv2D(3, padding='same', activation='relu')(y)
    z = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(6, 1)(z))
    y = layers.Add()([y, z])
    deep = layers.MaxPooling2D(2, padding='same')(layers.ZeroPadding2D(1)(y))
    deep = layers.LeakyReLU(0.1)(layers.SeparableConv2D(4, 3, dilation_rate=2, padding='same')(deep))
    up = layers.Conv2DTranspose(4, 3, strides=2, padding='same')(deep)
    up = layers.UpSampling2D(2, interpolation='bilinear')(layers.AveragePooling2D(2)(up))
    near = layers.UpSampling2D(4, interpolation='nearest')(layers.Cropping2D(((1, 1), (2, 0)))(deep))
    up = layers.Concatenate()([up, near, up])
    mask = layers.Conv2D(1, 1, activation='sigmoid', name='mask')(up)
    label = layers.Dense(5, activation='softmax', name='label')(layers.GlobalAveragePooling2D()(y))
    return keras.Model(x, {'mask': mask, 'label': label}), np.random.rand(2, 12, 12, 3)


def tokens():
    """A transformer block on integers."""
    x = keras.Input((6,), dtype='int32', name='tokens')
    y = layers.Embedding(11, 8)(x)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 4)(y, y))
    y = layers.LayerNormalization()(y + layers.Dense(8)(keras.activations.gelu(layers.Dense(16)(y), approximate=True)))
    return keras.Model(x, layers.Dense(3)(layers.GlobalMaxPooling1D()(y))), np.random.randint(0, 11, (3, 6))


def series():
    """A recurrent layer that is unrolled, and convolutions of series."""
    x = keras.Input((8, 3), name='series')
    y = layers.Conv1D(6, 3, padding='causal', dilation_rate=2, activation='elu')(x)
    y = layers.LSTM(5, unroll=True)(y)
    return keras.Model(x, layers.Dense(2, activation='tanh')(y)), np.random.randn(4, 8, 3)


class Sound(tf.Module):
    """Spectrograms of a waveform of any length, then a network: the frames are the rows of the result."""

    def __init__(self):
        super().__init__()
        self.mel = tf.constant(np.random.rand(65, 12).astype('float32'))
        self.kernel = tf.Variable(np.random.randn(3, 12, 8).astype('float32') / 6, name='kernel')
        self.bias = tf.Variable(np.zeros(8, 'float32'), name='bias')
        self.dense = tf.Variable(np.random.randn(8, 4).astype('float32'), name='dense')

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name='waveform')])
    def __call__(self, waveform):
        frames = tf.signal.stft(waveform, 100, 40, 128)
        spectrogram = tf.math.log(tf.abs(frames) @ self.mel + 0.01)
        y = tf.nn.conv1d(spectrogram[tf.newaxis], self.kernel, 1, 'SAME')
        y = tf.nn.relu(tf.nn.bias_add(y, self.bias))[0]
        return {'scores': tf.nn.softmax(y @ self.dense), 'spectrogram': spectrogram}


def flat(values):
    return [float(f'{each:.7g}') for each in np.asarray(values, 'float32').ravel()]


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    golden = {}
    cases = [('images', images, {}), ('tokens', tokens, {}), ('series', series, {}), ('sound', None, {}),
             ('images-float16', images, {'float16': '*'}), ('images-uint8', images, {'uint8': '*'})]
    for name, make, quantization in cases:
        np.random.seed(7)
        keras.utils.set_random_seed(7)
        saved = tempfile.mkdtemp()
        if make is None:
            model, x = Sound(), np.sin(np.arange(1000) * 0.11) * np.cos(np.arange(1000) * 0.013)
            tf.saved_model.save(model, saved, signatures=model.__call__)
            outputs = model(tf.constant(x, tf.float32))
        else:
            model, x = make()
            for weight in model.weights:
                if 'moving_mean' in weight.path or 'beta' in weight.path or 'bias' in weight.path or 'alpha' in weight.path:
                    weight.assign(np.random.uniform(-0.5, 0.5, weight.shape))
                if 'moving_variance' in weight.path or 'gamma' in weight.path:
                    weight.assign(np.random.uniform(0.5, 1.5, weight.shape))
            model.export(saved, verbose=False)
            outputs = model(x.astype('int32' if x.dtype.kind == 'i' else 'float32'), training=False)
        target = HERE / name
        converter.convert_tf_saved_model(saved, str(target), quantization_dtype_map=quantization)
        if not isinstance(outputs, dict):
            outputs = {'': outputs}
        golden[name] = {
            'shape': list(x.shape),
            'dtype': 'int32' if x.dtype.kind == 'i' else 'float32',
            'input': flat(x),
            'outputs': {key: {'shape': list(each.shape), 'data': flat(each)} for key, each in outputs.items()},
        }
    (HERE / 'networks.json').write_text(json.dumps(golden))


main()
