import { argv } from 'node:process';
import { removeFromImages } from '../src/node/modules/kept-images.ts';

// `remove-images-process.ts <images folder> <path>…`: to be killed in the middle of it.
const [imagesFolder = '', ...paths] = argv.slice(2);
await removeFromImages(imagesFolder, paths);
