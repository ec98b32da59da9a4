import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import type { Me } from "../api/types";
import { useTexts } from "../text";
import { Dialog } from "../ui/dialog";
import { Fault } from "../ui/fault";

/** The session is over: the same person logs in again, over the page as it stands; only who says so leaves it. */
export function LoginAgain({ me, entered, leave }: { me: Me; entered: (person: Me) => void; leave: () => void }) {
  const { t } = useTexts();
  const [fault, setFault] = useState<unknown>(null);
  const enter = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    try {
      entered(await calls.login(me.name, String(form.get("password") ?? "")));
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <Dialog title={t("login.title")}>
      <form onSubmit={(event) => void enter(event)}>
        <p>{t("login.over")}</p>
        <label>
          {t("login.name")}
          <input value={me.name} readOnly autoComplete="username" />
        </label>
        <label>
          {t("login.password")}
          <input name="password" type="password" required data-first autoComplete="current-password" />
        </label>
        {fault !== null && <Fault error={fault} />}
        <footer>
          <button type="button" onClick={leave}>
            {t("login.other")}
          </button>
          <button className="main">{t("login.enter")}</button>
        </footer>
      </form>
    </Dialog>
  );
}
