"""Names under which other tools know our metrics, to answer a wrong name with the right one."""

from __future__ import annotations

_OTHERS = {
    "dice": "f1 f1_score f_score dsc dc dice_score dice_coefficient dice_similarity sorensen_dice",
    "iou": "jaccard jaccard_index jaccard_score jc intersection_over_union iou_score",
    "fbeta": "f_beta fbeta_score",
    "sensitivity": "recall tpr true_positive_rate hit_rate se",
    "specificity": "tnr true_negative_rate selectivity sp",
    "precision": "ppv positive_predictive_value",
    "accuracy": "acc rand_accuracy",
    "mcc": "matthews_corrcoef matthews_correlation matthews_correlation_coefficient",
    "kappa": "cohen_kappa cohens_kappa cohen_kappa_score",
    "volume_difference": "rvd ravd relative_volume_difference volume_error",
    "hd": "hausdorff hausdorff_distance directed_hausdorff hd100",
    "hd95": "hausdorff95 hausdorff_95 hausdorff_distance_95 robust_hausdorff hd_perc hd90 hd99",
    "assd": "asssd average_symmetric_surface_distance symmetric_surface_distance",
    "masd": "mean_average_surface_distance mean_surface_distance average_hausdorff ahd msd",
    "asd": "average_surface_distance",
    "nsd": "surface_dice normalized_surface_dice normalised_surface_dice surface_dsc nsdc "
           "normalized_surface_distance normalised_surface_distance surface_dice_at_tolerance",
    "boundary_f1": "bf bf_score bfscore boundary_f boundary_f_score",
    "boundary_iou": "biou boundary_jaccard",
    "cldice": "cl_dice centerline_dice centreline_dice",
    "component_error": "n_components_error component_count_error",
    "betti_error": "betti_number_error betti",
    "betti_matching_error": "betti_matching_loss bm_error",
    "euler_error": "euler_characteristic_error",
    "euler_number": "euler_characteristic euler",
    "v_rand": "vrand rand_score",
    "v_info": "vinfo",
    "adapted_rand_error": "adapted_rand are rand_error arand",
    "variation_of_information": "voi vi",
    "panoptic_quality": "pq",
    "average_precision": "ap map mean_average_precision",
    "ap_dsb": "dsb_score dsb2018",
    "aggregated_jaccard": "aji aggregated_jaccard_index",
    "seg_score": "seg",
    "mean_iou": "miou mean_intersection_over_union",
    "frequency_weighted_iou": "fwiou fw_iou fwiu",
    "roc_auc": "auc auroc roc_auc_score",
    "pr_auc": "auprc aupr average_precision_score",
    "brier": "brier_score",
    "ece": "expected_calibration_error calibration_error",
    "mce": "maximum_calibration_error max_calibration_error",
    "compactness": "circularity sphericity roundness",
}  # fmt: skip

OUR_NAME = {other: own for own, others in _OTHERS.items() for other in others.split()}

WHOLE_ARRAYS = frozenset(
    [
        "euler_number",
        "betti_numbers",
        "v_rand",
        "v_info",
        "adapted_rand_error",
        "variation_of_information",
        "warping_error",
        "betti_matching",
        "betti_matching_error",
        "panoptic_quality",
        "average_precision",
        "ap_dsb",
        "f1_at_iou",
        "aggregated_jaccard",
        "seg_score",
        "mean_iou",
        "mean_dice",
        "mean_accuracy",
        "pixel_accuracy",
        "frequency_weighted_iou",
        "roc_auc",
        "pr_auc",
        "brier",
        "ece",
        "mce",
        "compactness",
    ]
)
"""Functions that take something else than two masks of one class, so `measure` has them not."""


def our_name(name: str) -> str:
    """What a metric is called here, "" if nobody calls it so: "Jaccard index" is our iou."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    return OUR_NAME.get(key, key if key in WHOLE_ARRAYS else "")


def metric_hint(name: str) -> str:
    """What to say to a name that is no metric of one class."""
    own = our_name(name)
    if own in WHOLE_ARRAYS:
        return f"Call the function pixelwise.metrics.{own}: it takes whole arrays."
    return f"It is called {own} here." if own else ""
