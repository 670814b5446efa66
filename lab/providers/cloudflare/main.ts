import { serve } from "../kit";
import { cloudflare } from "./provider";

void serve(cloudflare);
