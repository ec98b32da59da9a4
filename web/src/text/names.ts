/** A DICOM person name as it is read: "Doe^Jane^^Dr" is "Doe Jane Dr". */
export const personName = (name: string): string => name.split("=")[0]?.split("^").filter(Boolean).join(" ") ?? "";
