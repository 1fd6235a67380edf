#include <torch/torch.h>
#include <cstdio>
int main() { std::printf("%d\n", (int)torch::ones({2,2}).sum().item<float>()); }
