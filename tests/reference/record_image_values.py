#!/usr/bin/env python3
"""Prints the values that tests/renderer/{metrics,losses}_test.cpp hold recorded.

Needs numpy, scikit-image, torch, torchvision and lpips. No weights are downloaded: images and weights follow from a
formula that tests/renderer/image_formula.h repeats. Recorded with scikit-image 0.26, torch 2.11, torchvision 0.26,
lpips 0.1.4.
"""
import numpy as np

U64 = np.uint64


def mix64(x):
    with np.errstate(over="ignore"):
        x = x + U64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> U64(27))) * U64(0x94D049BB133111EB)
        return x ^ (x >> U64(31))


def units(seed, n):
    """n numbers in [0, 1): mix64(mix64(seed) ^ i) >> 40, over 2^24."""
    start = mix64(np.array([seed], dtype=U64))
    return (mix64(start ^ np.arange(n, dtype=U64)) >> U64(40)).astype(np.float64) / 2.0**24


def image(height, width, seed):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    noise = units(seed, height * width * 3).reshape(height, width, 3)
    wave = 0.5 + 0.35 * np.sin(0.31 * x + 0.17 * y + c)
    return (wave + 0.2 * (noise - 0.5)).astype(np.float32)


def mask(height, width):
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return ((x + 2 * y) % 7 > 1).astype(np.float32)


def fill(module, seed):
    """Convolutions by their number in torchvision's `features`."""
    import torch
    for number, layer in enumerate(module):
        if not isinstance(layer, torch.nn.Conv2d):
            continue
        bound = (6.0 / np.prod(layer.weight.shape[1:])) ** 0.5
        w = ((units(seed + number, layer.weight.numel()) * 2 - 1) * bound).astype(np.float32)
        b = ((units(seed + 1000 + number, layer.bias.numel()) - 0.5) * 0.1).astype(np.float32)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(w.reshape(layer.weight.shape)))
            layer.bias.copy_(torch.from_numpy(b))


def vgg19_loss(a, b):
    import torch
    import torchvision
    features = torchvision.models.vgg19(weights=None).features.eval()
    fill(features, 7)
    for i, layer in enumerate(features):
        if isinstance(layer, torch.nn.MaxPool2d):
            features[i] = torch.nn.AvgPool2d(2)
        if isinstance(layer, torch.nn.ReLU):
            features[i] = torch.nn.ReLU(inplace=False)
    normalise = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    features = features.double()
    leaf = torch.from_numpy(a).permute(2, 0, 1)[None].double().requires_grad_()
    x, y = normalise(leaf), normalise(torch.from_numpy(b).permute(2, 0, 1)[None].double())
    total = 0
    for i, layer in enumerate(features):
        x, y = layer(x), layer(y)
        if i in (1, 3, 6, 8, 11, 13, 15, 17, 20, 22, 24, 26, 29):
            total = total + (x - y).abs().mean()
    gradient = torch.autograd.grad(total, leaf)[0]
    return total.item(), gradient.square().sum().sqrt().item()


def lpips_value(net, a, b):
    import lpips
    import torch
    model = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False).eval()
    for name in ("slice1", "slice2", "slice3", "slice4", "slice5"):
        for number, layer in getattr(model.net, name).named_children():
            fill([None] * int(number) + [layer], 7)
    for i, head in enumerate(model.lins):
        w = units(500 + i, head.model[1].weight.numel()).astype(np.float32)
        with torch.no_grad():
            head.model[1].weight.copy_(torch.from_numpy(w.reshape(head.model[1].weight.shape)))
    with torch.no_grad():
        x, y = (torch.from_numpy(i).clamp(0, 1).permute(2, 0, 1)[None] for i in (a, b))
        return model(x, y, normalize=True).item()


def main():
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    def ssim(a, b):
        return structural_similarity(a.astype(np.float64), b.astype(np.float64), gaussian_weights=True, sigma=1.5,
                                     use_sample_covariance=False, data_range=1.0, channel_axis=2)

    for height, width, seeds in ((40, 48, (1, 2)), (75, 61, (3, 4))):
        a, b = (np.clip(image(height, width, seed), 0, 1) for seed in seeds)
        m = mask(height, width)[..., None]
        print(f"{height}x{width} psnr {peak_signal_noise_ratio(b.astype(float), a.astype(float), data_range=1.0):.12f}"
              f" ssim {ssim(a, b):.12f} masked ssim {ssim(a * m, b * m):.12f}")
        fa, fb = np.zeros_like(a), np.zeros_like(b)
        fa[16:-16, 16:-16], fb[16:-16, 16:-16] = a[16:-16, 16:-16], b[16:-16, 16:-16]
        print(f"  adop_border psnr {peak_signal_noise_ratio(fb.astype(float), fa.astype(float), data_range=1.0):.12f}"
              f" ssim {ssim(fa, fb):.12f}")
    a, b = image(64, 80, 5), image(64, 80, 6)
    print("vgg19 loss, norm of its gradient", *vgg19_loss(a, b))
    for net in ("alex", "vgg"):
        print("lpips", net, lpips_value(net, a, b))


if __name__ == "__main__":
    main()
