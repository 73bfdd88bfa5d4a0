// SPDX-License-Identifier: Apache-2.0
// Reading images, without all that building them loads: whoever starts an image has no time for it.
export {
  type ContainerImage,
  containerImageOf,
  isOurs,
  type RoledLayer,
  readContainerImage,
} from './container-image.ts';
export { type ReadImage, readImage } from './read-image.ts';
export { type UnikernelImage, unikernelOf, validateImage } from './validate-image.ts';
