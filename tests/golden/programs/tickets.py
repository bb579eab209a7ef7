"""Several inputs and outputs, in the manner of "The Functional API"."""

import keras
from drawn import Numbers
from keras import layers


def run(begin):
    numbers = Numbers(7)
    title, body = numbers.integers(20, 48, 4), numbers.integers(20, 48, 9)
    tags = numbers.integers(2, 48, 5).astype("float32")
    priority = (title.sum(1, keepdims=True) > 38).astype("float32")
    department = keras.utils.to_categorical(body[:, 0] % 3, 3)

    title_input = keras.Input(shape=(None,), name="title", dtype="int32")
    body_input = keras.Input(shape=(None,), name="body", dtype="int32")
    tags_input = keras.Input(shape=(5,), name="tags")
    title_features = layers.LSTM(6)(layers.Embedding(20, 8)(title_input))
    body_features = layers.GRU(5)(layers.Embedding(20, 8, mask_zero=True)(body_input))
    x = layers.concatenate([title_features, body_features, tags_input])
    priority_pred = layers.Dense(1, name="priority")(x)
    department_pred = layers.Dense(3, name="department")(x)
    model = keras.Model(
        inputs=[title_input, body_input, tags_input],
        outputs={"priority": priority_pred, "department": department_pred},
    )
    begin(model=model)
    model.compile(
        optimizer=keras.optimizers.RMSprop(1e-3),
        loss={
            "priority": keras.losses.BinaryCrossentropy(from_logits=True),
            "department": keras.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"priority": 1.0, "department": 0.2},
    )
    history = model.fit(
        {"title": title, "body": body, "tags": tags},
        {"priority": priority, "department": department},
        epochs=3,
        batch_size=16,
        shuffle=False,
        verbose=0,
    )
    predictions = model.predict({"title": title[:4], "body": body[:4], "tags": tags[:4]}, verbose=0)
    return {"history": history.history, "predictions": predictions}
