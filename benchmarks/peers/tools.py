"""Other tools by the names of our metrics and conventions: each is called as its users would.

A tool maps "metric" or "metric@option" to a function of (truth, predicted, spacing). Packages
are imported when a tool is asked for, so that any of them may be missing.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Ask = Callable[[np.ndarray, np.ndarray, tuple[float, ...]], float]
TOLERANCES = (0.0, 1.0, 1.5)


def monai() -> dict[str, Ask]:
    """MONAI: one-hot tensors with a batch and a channel axis."""
    import torch
    from monai import metrics as m

    def hot(mask: np.ndarray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32))[None, None]

    def count(name: str) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            matrix = m.get_confusion_matrix(hot(p), hot(t))
            return float(m.compute_confusion_matrix_metric(name, matrix))

        return ask

    def surface(call: Callable[..., Any], *args: Any, **options: Any) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            found = call(hot(p), hot(t), *args, include_background=True, spacing=s, **options)
            return float(found)

        return ask

    asks: dict[str, Ask] = {
        "dice": lambda t, p, _s: float(m.compute_dice(hot(p), hot(t))),
        "iou": lambda t, p, _s: float(m.compute_iou(hot(p), hot(t))),
        "sensitivity": count("sensitivity"),
        "specificity": count("specificity"),
        "precision": count("precision"),
        "accuracy": count("accuracy"),
        "balanced_accuracy": count("balanced accuracy"),
        "mcc": count("matthews correlation coefficient"),
        "hd": surface(m.compute_hausdorff_distance),
        "hd@directed": surface(m.compute_hausdorff_distance, directed=True),
        "hd95": surface(m.compute_hausdorff_distance, percentile=95),
        "hd95@percentile=60": surface(m.compute_hausdorff_distance, percentile=60),
        "assd": surface(m.compute_average_surface_distance, symmetric=True),
        "asd": surface(m.compute_average_surface_distance),
        "hd@norm=chessboard": surface(m.compute_hausdorff_distance, distance_metric="chessboard"),
        "hd@norm=taxicab": surface(m.compute_hausdorff_distance, distance_metric="taxicab"),
    }
    for tolerance in TOLERANCES:
        asks[f"nsd@tolerance={tolerance:g}"] = surface(m.compute_surface_dice, [tolerance])
    return asks


def deepmind() -> dict[str, Ask]:
    """DeepMind's surface-distance; two names that NumPy dropped are given back to it."""
    import surface_distance as m

    for name, value in (("Inf", np.inf), ("NaN", np.nan), ("bool", bool)):
        if not hasattr(np, name):
            setattr(np, name, value)

    def of(pick: Callable[[Any], float]) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            with np.errstate(invalid="ignore"):
                return float(pick(m.compute_surface_distances(t, p, s)))

        return ask

    asks = {
        "hd": of(lambda d: m.compute_robust_hausdorff(d, 100)),
        "hd95": of(lambda d: m.compute_robust_hausdorff(d, 95)),
        "hd95@percentile=60": of(lambda d: m.compute_robust_hausdorff(d, 60)),
        "asd@truth-to-predicted": of(lambda d: m.compute_average_surface_distance(d)[0]),
        "asd": of(lambda d: m.compute_average_surface_distance(d)[1]),
        "masd": of(lambda d: sum(m.compute_average_surface_distance(d)) / 2),
        "dice": lambda t, p, _s: float(m.compute_dice_coefficient(t, p)),
    }
    for tolerance in TOLERANCES:
        asks[f"nsd@tolerance={tolerance:g}"] = of(
            lambda d, limit=tolerance: m.compute_surface_dice_at_tolerance(d, limit)
        )
    return asks


def medpy() -> dict[str, Ask]:
    """MedPy: prediction first; an empty mask is an error in distances."""
    from medpy.metric import binary as m

    def with_spacing(call: Callable[..., Any]) -> Ask:
        return lambda t, p, s: float(call(p, t, s))

    def plain(call: Callable[..., Any]) -> Ask:
        return lambda t, p, _s: float(call(p, t))

    return {
        "dice": plain(m.dc), "iou": plain(m.jc), "precision": plain(m.precision),
        "sensitivity": plain(m.recall), "specificity": plain(m.specificity),
        "volume_difference@signed": plain(m.ravd), "hd": with_spacing(m.hd),
        "hd95": with_spacing(m.hd95), "assd": with_spacing(m.assd), "asd": with_spacing(m.asd),
        "hd@connectivity=full": lambda t, p, s: float(m.hd(p, t, s, t.ndim)),
        "assd@connectivity=full": lambda t, p, s: float(m.assd(p, t, s, t.ndim)),
    }  # fmt: skip


def panoptica() -> dict[str, Ask]:
    """panoptica's metrics of single instances."""
    from panoptica.metrics import Metric

    def of(name: str, **options: Any) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            call = getattr(Metric, name)
            return float(call(t.astype(np.uint8), p.astype(np.uint8), voxelspacing=s, **options))

        return ask

    asks = {"assd": of("ASSD"), "hd": of("HD"), "hd95": of("HD95")}
    asks |= {
        "dice": lambda t, p, _s: float(Metric.DSC(t.astype(np.uint8), p.astype(np.uint8))),
        "iou": lambda t, p, _s: float(Metric.IOU(t.astype(np.uint8), p.astype(np.uint8))),
        "cldice": lambda t, p, _s: float(Metric.clDSC(t.astype(np.uint8), p.astype(np.uint8))),
    }
    for tolerance in TOLERANCES[1:]:
        asks[f"nsd@tolerance={tolerance:g}"] = of("NSD", threshold=tolerance)
    return asks


def seg_metrics() -> dict[str, Ask]:
    """seg_metrics: prediction first, spacing turned round."""
    from seg_metrics.seg_metrics import computeQualityMeasures as measures

    def of(name: str) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            both = p.astype(np.uint8), t.astype(np.uint8)
            return float(measures(*both, np.array(s[::-1]), {name})[name])

        return ask

    return {
        "dice": of("dice"), "iou": of("jaccard"), "precision": of("precision"),
        "sensitivity": of("recall"), "hd": of("hd"), "hd95": of("hd95"), "assd": of("msd"),
    }  # fmt: skip


def simpleitk() -> dict[str, Ask]:
    """SimpleITK's filters: images with spacing (x, y, z)."""
    import SimpleITK as itk

    def images(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> list[Any]:
        found = [itk.GetImageFromArray(mask.astype(np.uint8)) for mask in (t, p)]
        for image in found:
            image.SetSpacing(tuple(float(step) for step in s[::-1]))
        return found

    def of(make: Callable[[], Any], name: str) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            measured = make()
            measured.Execute(*images(t, p, s))
            return float(getattr(measured, name)())

        return ask

    overlap, distance = itk.LabelOverlapMeasuresImageFilter, itk.HausdorffDistanceImageFilter
    return {
        "dice": of(overlap, "GetDiceCoefficient"),
        "iou": of(overlap, "GetJaccardCoefficient"),
        "hd": of(distance, "GetHausdorffDistance"),
        "assd": of(distance, "GetAverageHausdorffDistance"),
    }


def mikan() -> dict[str, Ask]:
    """mikan-rs: volumes, spacing (x, y, z); some empty masks stop the process, so none is asked."""
    from mikan import ArrayEvaluator

    def of(name: str) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, s: tuple[float, ...]) -> float:
            if not (t.any() and p.any()):
                raise ValueError("not asked where a mask is empty")
            volumes = [
                mask.reshape((1, *mask.shape)[-3:]).astype(np.uint8).copy() for mask in (t, p)
            ]
            steps = (1.0, *s)[-3:]
            return float(ArrayEvaluator(*volumes, steps[::-1]).labels([1]).metrics(name))

        return ask

    names = {"sensitivity": "recall", "hd": "hd", "hd95": "hd95"}
    wanted = ("dice", "iou", "precision", "mcc", "kappa", "assd", "masd", *names)
    return {name: of(names.get(name, name)) for name in wanted}


def scikit_image() -> dict[str, Ask]:
    """scikit-image: all pixels of the object, no spacing."""
    from skimage.metrics import hausdorff_distance

    return {
        "hd": lambda t, p, _s: float(hausdorff_distance(t, p)),
        "masd": lambda t, p, _s: float(hausdorff_distance(t, p, method="modified")),
    }


def miseval() -> dict[str, Ask]:
    """miseval: counts only."""
    from miseval import evaluate

    def of(name: str) -> Ask:
        return lambda t, p, _s: float(evaluate(t.astype(int), p.astype(int), metric=name))

    return {
        "dice": of("DSC"), "iou": of("IoU"), "sensitivity": of("SENS"), "specificity": of("SPEC"),
        "precision": of("PREC"), "accuracy": of("ACC"), "balanced_accuracy": of("BACC"),
        "kappa": of("KAP"), "mcc": of("MCC"),
    }  # fmt: skip


def pymia() -> dict[str, Ask]:
    """pymia: counts only."""
    from pymia.evaluation import metric as m

    def of(name: str) -> Ask:
        def ask(t: np.ndarray, p: np.ndarray, _s: tuple[float, ...]) -> float:
            measured = getattr(m, name)()
            measured.confusion_matrix = m.ConfusionMatrix(p.astype(int), t.astype(int))
            return float(measured.calculate())

        return ask

    return {
        "dice": of("DiceCoefficient"), "iou": of("JaccardCoefficient"),
        "sensitivity": of("Sensitivity"), "specificity": of("Specificity"),
        "precision": of("Precision"), "accuracy": of("Accuracy"),
    }  # fmt: skip


TOOLS: Mapping[str, tuple[str, str, Callable[[], dict[str, Ask]]]] = {
    "monai": ("monai", "monai", monai),
    "deepmind": ("surface_distance", "surface-distance", deepmind),
    "medpy": ("medpy", "medpy", medpy),
    "panoptica": ("panoptica", "panoptica", panoptica),
    "seg_metrics": ("seg_metrics", "seg-metrics", seg_metrics),
    "simpleitk": ("SimpleITK", "SimpleITK", simpleitk),
    "mikan": ("mikan", "mikan-rs", mikan),
    "scikit-image": ("skimage", "scikit-image", scikit_image),
    "miseval": ("miseval", "miseval", miseval),
    "pymia": ("pymia", "pymia", pymia),
}
"""Convention -> (module, name of the distribution, its functions)."""


def is_here(module: str) -> bool:
    """Whether a tool can be asked on this machine."""
    return importlib.util.find_spec(module) is not None


def answer(ask: Ask, truth: np.ndarray, predicted: np.ndarray, spacing: tuple[float, ...]) -> Any:
    """A number, or "nan", "inf", "-inf", or the words of an error, as JSON can hold them."""
    try:
        value = ask(truth, predicted, spacing)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of Rust is no Exception, and an answer too
        return f"error: {type(error).__name__}"
    return value if math.isfinite(value) else str(value)
