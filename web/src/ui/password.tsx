import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import { useTexts } from "../text";
import { Dialog } from "./dialog";
import { Fault } from "./fault";

/** One's own password, changed; other sessions end. */
export function PasswordDialog({ close }: { close: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const change = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      await calls.changePassword(String(form.get("old") ?? ""), String(form.get("new") ?? ""));
      close();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title={t("password.title")} close={close}>
      <form onSubmit={(event) => void change(event)}>
        <label>
          {t("password.old")}
          <input name="old" type="password" required autoComplete="current-password" data-first />
        </label>
        <label>
          {t("password.new")}
          <input name="new" type="password" required minLength={12} autoComplete="new-password" />
          <small>{t("first.hint")}</small>
        </label>
        {fault !== null && <Fault error={fault} />}
        <footer>
          <button className="main">{t("password.title")}</button>
        </footer>
      </form>
    </Dialog>
  );
}
