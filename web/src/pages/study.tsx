import { lazy, Suspense } from "react";

import { studyBase } from "../api/calls";
import type { Me } from "../api/types";
import { PlanarReview } from "../planar/planar_review";
import { useReview } from "../reading/use_review";
import { useTexts } from "../text";
import { Unread } from "./unread";

const CtReview = lazy(() => import("../ct/ct_review").then((page) => ({ default: page.CtReview })));

/** A study under review, by its kind. */
export function StudyPage({ me, id }: { me: Me; id: string }) {
  const { t } = useTexts();
  const loaded = useReview(studyBase(id), me.name);
  if (!loaded.review) return <Unread {...loaded} />;
  if (loaded.review.study.kind === "nm-planar") return <PlanarReview me={me} review={loaded.review} />;
  return (
    <Suspense fallback={<p className="loading">{t("loading")}</p>}>
      <CtReview me={me} review={loaded.review} />
    </Suspense>
  );
}
