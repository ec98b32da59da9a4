import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Dialog } from "../ui/dialog";
import { Fault } from "../ui/fault";
import { lines } from "../ui/lines";
import { useFetched } from "../ui/use_fetched";

/** Who may see a study besides its owner and administrators. */
export function AccessDialog({ base, close }: { base: string; close: () => void }) {
  const { t } = useTexts();
  const { value, error } = useFetched(() => calls.access(base), base);
  const [fault, setFault] = useState<unknown>(null);
  const give = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await calls.giveAccess(base, { everyone: form.has("everyone"), users: lines(String(form.get("users") ?? "")) });
      close();
    } catch (problem) {
      setFault(problem);
    }
  };
  return (
    <Dialog title={t("access.title")} close={close}>
      {error !== null && <Fault error={error} />}
      {value && (
        <form onSubmit={(event) => void give(event)}>
          <label className="check">
            <input type="checkbox" name="everyone" defaultChecked={value.everyone} /> {t("access.everyone")}
          </label>
          <label>
            {t("access.users")}
            <textarea name="users" rows={4} defaultValue={value.users?.join("\n")} />
          </label>
          {fault !== null && <Fault error={fault} />}
          <footer>
            <button className="main">{t("access.give")}</button>
          </footer>
        </form>
      )}
    </Dialog>
  );
}
