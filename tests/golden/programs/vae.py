"""A variational autoencoder with its own losses, in the manner of "Variational AutoEncoder". The noise is an input."""

import keras
from drawn import Numbers
from keras import layers, ops


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.reconstruction_loss_tracker = keras.metrics.Mean(name="reconstruction_loss")
        self.kl_loss_tracker = keras.metrics.Mean(name="kl_loss")

    def call(self, inputs):
        data, epsilon = inputs
        z_mean, z_log_var = self.encoder(data)
        z = z_mean + ops.exp(0.5 * z_log_var) * epsilon
        return self.decoder(z), z_mean, z_log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        data, _ = x
        reconstruction, z_mean, z_log_var = y_pred
        reconstruction_loss = ops.mean(ops.sum(ops.square(data - reconstruction), axis=1))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        self.reconstruction_loss_tracker.update_state(reconstruction_loss)
        self.kl_loss_tracker.update_state(kl_loss)
        return reconstruction_loss + kl_loss


def run(begin):
    numbers = Numbers(8)
    data, epsilon = numbers.uniform(64, 6), numbers.uniform(64, 2)

    encoder_inputs = keras.Input(shape=(6,))
    x = layers.Dense(12, activation="relu")(encoder_inputs)
    z_mean = layers.Dense(2, name="z_mean")(x)
    z_log_var = layers.Dense(2, name="z_log_var")(x)
    encoder = keras.Model(encoder_inputs, [z_mean, z_log_var], name="encoder")
    latent_inputs = keras.Input(shape=(2,))
    x = layers.Dense(12, activation="relu")(latent_inputs)
    decoder = keras.Model(latent_inputs, layers.Dense(6, activation="tanh")(x), name="decoder")

    vae = VAE(encoder, decoder)
    begin(encoder=encoder, decoder=decoder)
    vae.compile(optimizer=keras.optimizers.Adam())
    history = vae.fit([data, epsilon], epochs=4, batch_size=16, shuffle=False, verbose=0)
    return {"history": history.history, "generated": decoder.predict(epsilon[:6], verbose=0)}
