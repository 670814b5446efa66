import { serve } from "../kit";
import { command } from "./provider";

void serve(command);
