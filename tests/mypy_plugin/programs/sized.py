import typedprop as tp

weights = tp.zeros(20, 100)


def images(x):
    return tp.zeros(3, 32, 32)


def halves(x):
    return x[:5], x[5:]
