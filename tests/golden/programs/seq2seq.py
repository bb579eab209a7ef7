"""Translation of sequences, in the manner of "Character-level recurrent sequence-to-sequence model"."""

import keras
import numpy as np
from drawn import Numbers
from keras import layers

TOKENS, LATENT, START = 6, 12, 0


def run(begin):
    numbers = Numbers(10)
    source = 1 + numbers.integers(TOKENS - 1, 64, 5)
    target = source[:, ::-1]
    one_hot = lambda x: np.eye(TOKENS, dtype="float32")[x]
    encoder_input_data, decoder_target_data = one_hot(source), one_hot(target)
    decoder_input_data = one_hot(np.concatenate([np.full((64, 1), START), target[:, :-1]], 1))

    encoder_inputs = keras.Input(shape=(None, TOKENS))
    encoder_outputs, state_h, state_c = layers.LSTM(LATENT, return_state=True)(encoder_inputs)
    decoder_inputs = keras.Input(shape=(None, TOKENS))
    decoder_lstm = layers.LSTM(LATENT, return_sequences=True, return_state=True)
    decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=[state_h, state_c])
    decoder_dense = layers.Dense(TOKENS, activation="softmax")
    model = keras.Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))
    begin(model=model)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        [encoder_input_data, decoder_input_data], decoder_target_data, batch_size=16, epochs=6, validation_split=0.25, shuffle=False, verbose=0
    )

    # Encoder and decoder for inference, of the trained layers.
    encoder_model = keras.Model(encoder_inputs, [state_h, state_c])
    state_inputs = [keras.Input(shape=(LATENT,)), keras.Input(shape=(LATENT,))]
    outputs, h, c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
    decoder_model = keras.Model([decoder_inputs] + state_inputs, [decoder_dense(outputs), h, c])
    states = encoder_model.predict(encoder_input_data[:8], verbose=0)
    token = one_hot(np.full((8, 1), START))
    decoded = []
    for _ in range(5):
        probabilities, h, c = decoder_model.predict([token] + states, verbose=0)
        decoded.append(probabilities[:, 0])
        token, states = one_hot(probabilities.argmax(-1)), [h, c]
    return {"history": history.history, "decoded": np.stack(decoded, 1)}
