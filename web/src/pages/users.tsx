import { useState, type FormEvent } from "react";

import * as calls from "../api/calls";
import type { Me, Role, User } from "../api/types";
import { useTexts } from "../text";
import { Fault } from "../ui/fault";
import { Heads } from "../ui/heads";
import { useFetched } from "../ui/use_fetched";

const ROLES: readonly Role[] = ["reader", "signer", "admin"];

/** Who may log in, and as what. */
export function Users({ me }: { me: Me }) {
  const { t } = useTexts();
  const { value, error, again } = useFetched(calls.users, "users");
  const [fault, setFault] = useState<unknown>(null);
  const change = (call: Promise<unknown>) => call.then(again, setFault);
  return (
    <main className="plain">
      <h1>{t("nav.users")}</h1>
      {error !== null && <Fault error={error} again={again} />}
      {fault !== null && <Fault error={fault} close={() => setFault(null)} />}
      <table>
        <Heads of={["login.name", "users.role", "users.state"]} />
        <tbody>
          {value?.map((user) => (
            <Row key={user.name} user={user} isMe={user.name === me.name} change={change} />
          ))}
        </tbody>
      </table>
      <AddUser added={again} failed={setFault} />
    </main>
  );
}

function Row({ user, isMe, change }: { user: User; isMe: boolean; change: (call: Promise<unknown>) => void }) {
  const { t } = useTexts();
  return (
    <tr>
      <th scope="row">{user.name}</th>
      <td>
        <select
          aria-label={`${t("users.role")}: ${user.name}`}
          value={user.role}
          disabled={isMe}
          onChange={(event) => change(calls.changeUser(user.name, { role: event.target.value as Role }))}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {t(`role.${role}`)}
            </option>
          ))}
        </select>
      </td>
      <td>
        <button disabled={isMe} onClick={() => change(calls.changeUser(user.name, { active: !user.active }))}>
          {t(user.active ? "users.off" : "users.on")}
        </button>
      </td>
    </tr>
  );
}

function AddUser({ added, failed }: { added: () => void; failed: (error: unknown) => void }) {
  const { t } = useTexts();
  const add = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    const text = (name: string) => String(form.get(name) ?? "");
    try {
      await calls.addUser(text("name"), text("password"), text("role") as Role);
      element.reset();
      added();
    } catch (error) {
      failed(error);
    }
  };
  return (
    <form className="card" onSubmit={(event) => void add(event)} aria-label={t("users.add")}>
      <h2>{t("users.add")}</h2>
      <label>
        {t("login.name")}
        <input name="name" required autoComplete="off" />
      </label>
      <label>
        {t("users.password")}
        <input name="password" type="password" required minLength={12} autoComplete="new-password" />
        <small>{t("first.hint")}</small>
      </label>
      <label>
        {t("users.role")}{" "}
        <select name="role">
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {t(`role.${role}`)}
            </option>
          ))}
        </select>
      </label>
      <button className="main">{t("users.add")}</button>
    </form>
  );
}
