import type { Me } from "../api/types";
import type { Review } from "../reading/use_review";

export function CtReview({ review }: { me: Me; review: Review }) {
  return <p>{review.study.id}</p>;
}
