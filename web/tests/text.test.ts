import { describe, expect, it } from "vitest";

import { CURIE, SIOPEN, UNITS } from "../src/reading/sites";
import { phrase } from "../src/text";
import { en, type Key } from "../src/text/en";
import { fr } from "../src/text/fr";
import { personName } from "../src/text/names";
import { siteName } from "../src/text/sites";

const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe("strings", () => {
  it("have the same keys in both languages", () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
  });

  it.each(Object.keys(en) as Key[])("%s says something, with the same places, in both", (key) => {
    expect(en[key].trim()).not.toBe("");
    expect(fr[key].trim()).not.toBe("");
    expect(places(fr[key])).toEqual(places(en[key]));
  });

  it("are filled", () => {
    expect(phrase("en", "list.page", { page: 2, pages: 9 })).toBe("Page 2 of 9");
    expect(phrase("fr", "list.page", { page: 2, pages: 9 })).toBe("Page 2 sur 9");
  });

  it("say on every page that this is research", () => {
    expect(en.research).toContain("not a medical device");
    expect(fr.research).toContain("pas un dispositif médical");
  });
});

describe("sites", () => {
  it.each([...SIOPEN, ...CURIE, ...UNITS])("%s has a name in both languages", (site) => {
    expect(siteName(site, "en")).not.toContain("_");
    expect(siteName(site, "fr")).not.toContain("_");
  });

  it.each([
    ["vertebra_L3", "Vertebra L3", "Vertèbre L3"],
    ["rib_left_7", "Rib 7 L", "Côte 7 G"],
    ["femur_right", "Femur R", "Fémur D"],
    ["vertebra_unknown_2", "Vertebra (level uncertain, 2)", "Vertèbre (niveau incertain, 2)"],
    ["rib_left_unknown_1", "Rib (level uncertain, 1) L", "Côte (niveau incertain, 1) G"],
    ["study", "study", "study"],
  ])("%s is %s, %s", (site, english, french) => {
    expect(siteName(site, "en")).toBe(english);
    expect(siteName(site, "fr")).toBe(french);
  });
});

describe("names of persons", () => {
  it.each([
    ["Doe^Jane^^Dr", "Doe Jane Dr"],
    ["Yamada^Tarou=山田^太郎", "Yamada Tarou"],
    ["", ""],
  ])("%s is read as %s", (name, read) => {
    expect(personName(name)).toBe(read);
  });
});
