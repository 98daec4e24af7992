"""The readable rasteriser: dense, slow, differentiable by autograd: the truth the fast kernels are tested against.

A splat is a 2-D Gaussian on the screen. Pixel (column x, row y) is sampled at its centre (x + 0.5, y + 0.5).
"""

from __future__ import annotations

import torch

ALPHA_CUT = 1.0 / 255.0  # a splat is not drawn where it would change a pixel by less than one 8-bit step
ALPHA_MAX = 0.99  # no splat is fully opaque, so that gradients reach what lies behind it


def draw(
    means_px: torch.Tensor,  # [N, 2] x right, y down
    covariances_px2: torch.Tensor,  # [N, 3] xx, xy, yy
    colours: torch.Tensor,  # [N, 3] linear in the picture's own 0..1 scale
    opacities: torch.Tensor,  # [N] 0..1
    depths: torch.Tensor,  # [N] larger is nearer to the viewer
    backdrop: torch.Tensor,  # [H, W, 3]
) -> torch.Tensor:
    """Composite splats from the nearest to the farthest over a backdrop; return the picture [H, W, 3]."""
    height, width = backdrop.shape[:2]
    rows = torch.arange(height, dtype=means_px.dtype) + 0.5
    columns = torch.arange(width, dtype=means_px.dtype) + 0.5
    picture = torch.zeros_like(backdrop)
    transmittance = torch.ones(height, width, dtype=means_px.dtype)
    for index in torch.argsort(depths, descending=True, stable=True).tolist():
        xx, xy, yy = covariances_px2[index]
        determinant = xx * yy - xy * xy
        dx = (columns - means_px[index, 0])[None, :]
        dy = (rows - means_px[index, 1])[:, None]
        distance2 = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / determinant
        alpha = opacities[index] * torch.exp(-0.5 * distance2)
        alpha = torch.where(alpha >= ALPHA_CUT, alpha.clamp(max=ALPHA_MAX), torch.zeros_like(alpha))
        picture = picture + (alpha * transmittance)[..., None] * colours[index]
        transmittance = transmittance * (1.0 - alpha)
    return picture + transmittance[..., None] * backdrop
