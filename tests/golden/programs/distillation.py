"""A small network learns from a large one, in the manner of "Knowledge Distillation"."""

import keras
from drawn import Numbers
from keras import layers, ops


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.1, temperature=3):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn = student_loss_fn
        self.distillation_loss_fn = distillation_loss_fn
        self.alpha = alpha
        self.temperature = temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        teacher_pred = self.teacher(x, training=False)
        student_loss = self.student_loss_fn(y, y_pred)
        distillation_loss = self.distillation_loss_fn(
            ops.softmax(teacher_pred / self.temperature, axis=1),
            ops.softmax(y_pred / self.temperature, axis=1),
        ) * (self.temperature**2)
        return self.alpha * student_loss + (1 - self.alpha) * distillation_loss

    def call(self, x):
        return self.student(x)


def run(begin):
    numbers = Numbers(9)
    x = numbers.uniform(80, 8)
    y = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)

    teacher = keras.Sequential([keras.Input((8,)), layers.Dense(24, activation="leaky_relu"), layers.Dense(3)], name="teacher")
    student = keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="leaky_relu"), layers.Dense(3)], name="student")
    begin(teacher=teacher, student=student)
    teacher.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
    )
    taught = teacher.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)

    teacher.trainable = False
    distiller = Distiller(student=student, teacher=teacher)
    distiller.compile(
        optimizer=keras.optimizers.Adam(0.01),
        metrics=[keras.metrics.SparseCategoricalAccuracy()],
        student_loss_fn=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        distillation_loss_fn=keras.losses.KLDivergence(),
    )
    history = distiller.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    return {"taught": taught.history, "history": history.history, "predictions": student.predict(x[:6], verbose=0)}
