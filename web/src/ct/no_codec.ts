/** Stands in for the decompressors of Zarr images, which NiiVue could read and this page never shows. */
export default class NoCodec {
  static fromConfig(): never {
    throw new Error("Zarr images are not read by this page");
  }
}
