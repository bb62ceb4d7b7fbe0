"""What onnxruntime computes with exported models, from inputs that the exported model.py prepares.

    exported_models.py predict MODEL.onnx model.py IMAGE...     JSON: the probabilities of each image
    exported_models.py describe MODEL.onnx                      JSON: inputs, outputs and metadata
    exported_models.py inputs model.py FOLDER IMAGE...          FOLDER/<n>.f32: the network's inputs, N, C, H, W
"""

import json
import sys
import types


def program_without_torch(path):
    """The names that model.py defines, where torch and safetensors are not installed: only networks need them."""
    for name in ["torch", "torch.nn", "torch.nn.functional", "safetensors"]:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torch"].nn = sys.modules["torch.nn"]
    sys.modules["torch.nn"].functional = sys.modules["torch.nn.functional"]
    sys.modules["torch.nn"].Module = object
    sys.modules["safetensors"].safe_open = None
    program = {"__name__": "model", "__file__": path}
    exec(compile(open(path, encoding="utf-8").read(), path, "exec"), program)
    return program


def session_of(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def predict(model, script, *images):
    import numpy as np

    preprocess = program_without_torch(script)["preprocess"]
    batch = np.concatenate([preprocess(image) for image in images])
    session = session_of(model)
    probabilities, logits = session.run(["probabilities", "logits"], {"image": batch})
    one_by_one = [session.run(["probabilities"], {"image": batch[at : at + 1]})[0][0] for at in range(len(batch))]
    assert np.abs(probabilities - one_by_one).max() < 1e-6, "a batch gives what its images give"
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert np.abs(exponentials / exponentials.sum(axis=1, keepdims=True) - probabilities).max() < 1e-6
    return dict(zip(images, probabilities.astype(float).tolist()))


def describe(model):
    import onnx

    onnx.checker.check_model(onnx.load(model), full_check=True)
    session = session_of(model)
    named = lambda values: [[value.name, value.shape, value.type] for value in values]
    return {
        "inputs": named(session.get_inputs()),
        "outputs": named(session.get_outputs()),
        "metadata": session.get_modelmeta().custom_metadata_map,
    }


def inputs(script, folder, *images):
    preprocess = program_without_torch(script)["preprocess"]
    for at, image in enumerate(images):
        preprocess(image).tofile(f"{folder}/{at}.f32")
    return len(images)


if __name__ == "__main__":
    commands = {"predict": predict, "describe": describe, "inputs": inputs}
    print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
