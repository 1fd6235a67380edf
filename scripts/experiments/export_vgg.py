#!/usr/bin/env python3
"""Writes the weight files that the perceptual loss and LPIPS read, from your own installation of torchvision and lpips.

    pip install torch torchvision lpips safetensors
    python3 export_vgg.py vgg19 vgg19.safetensors              # the loss: VGG19's convolutions
    python3 export_vgg.py lpips-vgg lpips_vgg.safetensors      # LPIPS: VGG16's convolutions and the linear heads
    python3 export_vgg.py lpips-alex lpips_alex.safetensors    # LPIPS: AlexNet's convolutions and the linear heads

torchvision downloads its ImageNet weights under its own terms. The files hold torchvision's names
("features.N.weight", "features.N.bias") and lpips' ("linN.model.1.weight"), float32.
"""
import argparse

import torchvision
from safetensors.torch import save_file


def convolutions(model):
    return {name: value.contiguous().float() for name, value in model.state_dict().items()
            if name.startswith("features.")}


def heads(net):
    import lpips
    model = lpips.LPIPS(net=net, version="0.1", pretrained=True, verbose=False)
    return {name: value.contiguous().float() for name, value in model.state_dict().items()
            if name.startswith("lin") and name.endswith(".model.1.weight") and not name.startswith("lins.")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("vgg19", "lpips-vgg", "lpips-alex"))
    parser.add_argument("file")
    arguments = parser.parse_args()
    models = torchvision.models
    if arguments.what == "vgg19":
        tensors = convolutions(models.vgg19(weights=models.VGG19_Weights.IMAGENET1K_V1))
    elif arguments.what == "lpips-vgg":
        tensors = convolutions(models.vgg16(weights=models.VGG16_Weights.IMAGENET1K_V1)) | heads("vgg")
    else:
        tensors = convolutions(models.alexnet(weights=models.AlexNet_Weights.IMAGENET1K_V1)) | heads("alex")
    save_file(tensors, arguments.file, metadata={"source": f"torchvision {torchvision.__version__}"})


if __name__ == "__main__":
    main()
