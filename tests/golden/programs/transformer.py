"""Text with a Transformer block of custom layers, in the manner of "Text classification with Transformer"."""

import keras
from drawn import Numbers
from keras import layers, ops


class TransformerBlock(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="relu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs):
        attn_output = self.att(inputs, inputs)
        out1 = self.layernorm1(inputs + attn_output)
        return self.layernorm2(out1 + self.ffn(out1))


class TokenAndPositionEmbedding(layers.Layer):
    def __init__(self, maxlen, vocab_size, embed_dim):
        super().__init__()
        self.token_emb = layers.Embedding(input_dim=vocab_size, output_dim=embed_dim)
        self.pos_emb = layers.Embedding(input_dim=maxlen, output_dim=embed_dim)

    def call(self, x):
        positions = ops.arange(0, ops.shape(x)[-1], 1)
        return self.token_emb(x) + self.pos_emb(positions)


def run(begin):
    numbers = Numbers(3)
    x = numbers.integers(30, 64, 8)
    y = (x[:, 0] < x[:, -1]).astype("int32")

    inputs = keras.Input(shape=(8,), dtype="int32")
    h = TokenAndPositionEmbedding(8, 30, 12)(inputs)
    h = TransformerBlock(12, 2, 16)(h)
    h = layers.GlobalAveragePooling1D()(h)
    h = layers.Dense(10, activation="relu")(h)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(h))
    begin(model=model)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:48], y[:48], batch_size=16, epochs=3, validation_data=(x[48:], y[48:]), shuffle=False, verbose=0)
    return {"history": history.history, "predictions": model.predict(x[48:], verbose=0)}
