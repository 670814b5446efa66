import { labCommand } from "../cli/lab";

void labCommand().parseAsync(process.argv);
