import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Dialog } from "../ui/dialog";
import { Fault } from "../ui/fault";
import type { Review } from "./use_review";

/** Opens a new draft on a signed study, with a reason that is kept. */
export function AmendDialog({ review, close }: { review: Review; close: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const amend = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    try {
      await calls.amend(review.base, String(new FormData(event.currentTarget).get("reason") ?? ""));
      review.reload();
      close();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title={t("study.amendTitle")} close={close}>
      <form onSubmit={(event) => void amend(event)}>
        <label>
          {t("study.reason")}
          <input name="reason" required data-first />
        </label>
        {fault !== null && <Fault error={fault} />}
        <footer>
          <button className="main">{t("study.amend")}</button>
        </footer>
      </form>
    </Dialog>
  );
}
