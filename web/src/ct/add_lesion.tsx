import type { FormEvent } from "react";

import { useTexts } from "../text";
import { Dialog } from "../ui/dialog";

const START_MM = 10;

/** Asks how large a lesion at the cross is; its mask can then be drawn. */
export function AddLesion({ add, close }: { add: (diameter: number) => void; close: () => void }) {
  const { t } = useTexts();
  const enter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    add(Number(new FormData(event.currentTarget).get("diameter")));
  };
  return (
    <Dialog title={t("ct.add")} close={close}>
      <form onSubmit={enter}>
        <label>
          {t("ct.diameter")}
          <input name="diameter" type="number" min={1} max={300} step="any" defaultValue={START_MM} required data-first />
        </label>
        <footer>
          <button className="main">{t("ct.add")}</button>
        </footer>
      </form>
    </Dialog>
  );
}
